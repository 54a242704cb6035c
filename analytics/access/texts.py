"""The words of the login page, English and Russian."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "login_title": "Teacher page",
        "login_name": "Name",
        "login_password": "Password",
        "login_button": "Log in",
        "login_wrong": "Name or password is wrong. Check both and try again.",
        "login_wait": "Too many wrong attempts. Try again in {seconds} seconds.",
        "login_busy": "Many are logging in at once. Try again in {seconds} seconds.",
        "login_needed": "Log in first, at /teacher/login.",
        "bad_token": "This token is not valid, or not any more. Ask who looks after the server for a new one.",
        "closed": (
            "No accounts are set up, so the teacher page answers only on the computer on which the app runs. Open it "
            "there, or add an account: python -m analytics.access.accounts add NAME"
        ),
    },
    "ru": {
        "login_title": "Страница учителя",
        "login_name": "Имя",
        "login_password": "Пароль",
        "login_button": "Войти",
        "login_wrong": "Неверное имя или пароль. Проверьте и попробуйте ещё раз.",
        "login_wait": "Слишком много неверных попыток. Повторите через {seconds} с.",
        "login_busy": "Сейчас входят слишком многие. Повторите через {seconds} с.",
        "login_needed": "Сначала войдите: /teacher/login.",
        "bad_token": "Этот токен недействителен или истёк. Новый даст тот, кто следит за сервером.",
        "closed": (
            "Учётных записей нет, поэтому страница учителя открывается только на компьютере, где работает программа. "
            "Откройте её там или добавьте учётную запись: python -m analytics.access.accounts add ИМЯ"
        ),
    },
}
