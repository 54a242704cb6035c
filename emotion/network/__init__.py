"""The packaged ResNet152: reading its checkpoint, building it, its int8 ranges, and where it looked."""
