"""Words of attendance as a whole, and of its days, months and limits."""

WORDS: dict[str, tuple[str, str]] = {
    "attendance": ("勤怠", "Attendance"),
    "my_time": ("自分の勤怠", "My time"),
    "tab_today": ("今日", "Today"),
    "tab_months": ("月次", "Months"),
    "tab_requests": ("申請", "Requests"),
    "tab_open": ("未処理", "Open work"),
    "tab_close": ("締め", "Close"),
    "tab_taps": ("打刻", "Punches"),
    "tab_staff": ("職員とカード", "Staff and cards"),
    "tab_payroll": ("給与", "Payroll"),
    "tab_rules": ("規則", "Rules"),
}
