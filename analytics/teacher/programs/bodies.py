"""The JSON bodies of the teacher's half of the interface for programs. Limits are those of the named endpoints."""

from pydantic import BaseModel, Field, StrictBool


class NewLesson(BaseModel):
    """A lesson that starts now."""

    title: str = Field(description="1 to 120 characters")
    class_name: str = Field(description="1 to 120 characters, for example 2B")
    minutes: float = Field(45, description="Planned length, 1 to 240")


class NewChild(BaseModel):
    """A child that is enrolled."""

    class_name: str = Field(description="For example 2B")
    role: str = Field("parent", description="Who agreed, never a name")
    days: float = Field(365, description="How long the consent is valid")


class ChangedConsent(BaseModel):
    """A consent that is given, or withdrawn."""

    child: str = Field(min_length=1, description="The child's pseudonym, or its code with its class")
    class_name: str = Field("", description="Needed with a code")
    given: StrictBool = Field(description="false withdraws it")
    role: str = Field("parent", description="Who agreed, never a name")
    days: float = Field(365, description="How long it is valid")
    purpose: str = Field("recording", description="recording, or calibration: to fit the network to the child's face")


class ErasedChild(BaseModel):
    """A child that is erased."""

    child: str = Field(description="The child's pseudonym, or its code with its class")
    class_name: str = Field("", description="Needed with a code")
