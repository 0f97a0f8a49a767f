"""Rule: Chromium's managed policies for a lent tablet, from what the town ordered (`wire/policy.py`, Tablet).

1. Its own page always opens. With `allowed` only those sites and the addresses in `home` do besides; without, every
   site does.
2. In quiet hours only its own page opens, whatever else is allowed.
3. Nothing of the resident goes elsewhere: no account, no synchronisation, no passwords kept, no reports.

Names as in Chromium's list of enterprise policies; a site's name there also allows its subdomains.
"""

from typing import Any

from edge_agent.effective import Effective

# In every folder of managed policies; Chromium reads all files in it.
FILE = "machinaka.json"


def policies(now: Effective, own: str, *, quiet: bool) -> dict[str, Any]:
    """The document; `own` is the address of the tablet's page (`http://127.0.0.1:8091`)."""
    pages = [own, *now.home]
    document: dict[str, Any] = {
        "HomepageIsNewTabPage": False,
        "HomepageLocation": now.home[0] if now.home else own,
        "NewTabPageLocation": own,
        "RestoreOnStartup": 4,
        "RestoreOnStartupURLs": [own],
        "ShowHomeButton": True,
        "ApplicationLocaleValue": now.language,
        "BrowserSignin": 0,
        "SyncDisabled": True,
        "PasswordManagerEnabled": False,
        "AutofillAddressEnabled": False,
        "AutofillCreditCardEnabled": False,
        "BrowserAddPersonEnabled": False,
        "BrowserGuestModeEnabled": False,
        "IncognitoModeAvailability": 1,
        "DeveloperToolsAvailability": 2,
        "DownloadRestrictions": 3,
        "ExtensionInstallBlocklist": ["*"],
        "MetricsReportingEnabled": False,
        "TranslateEnabled": False,
        "DefaultNotificationsSetting": 2,
        "DefaultGeolocationSetting": 2,
        "DefaultPopupsSetting": 2,
    }
    if quiet or now.allowed:
        # A list of what is allowed counts above the one of what is not.
        document["URLBlocklist"] = ["*"]
        document["URLAllowlist"] = [own] if quiet else [*pages, *now.allowed]
    return document


def is_quiet(now: Effective, minute: int) -> bool:
    """Whether a minute of the day (Japan's time) lies in the quiet hours; over midnight if need be."""
    begins, ends = _minute(now.quiet_from), _minute(now.quiet_until)
    if begins is None or ends is None or begins == ends:
        return False
    return begins <= minute < ends if begins < ends else minute >= begins or minute < ends


def _minute(text: str) -> int | None:
    return int(text[:2]) * 60 + int(text[3:5]) if text else None
