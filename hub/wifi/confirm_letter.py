"""What a guest is written whose e-mail address is to be confirmed: a code, in the guest's language (rule).

The letter holds nothing but the code: no address of a page to follow, no name, no place; whoever did not ask for it is
told that nothing has to be done.
"""

import re
from typing import NamedTuple

import msgspec

from wire.messages import TermsLanguage

# For so long an access point takes a code.
COUNTS_MS = 600_000
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{1,248}[A-Za-z0-9]")
_CODE = re.compile(r"[0-9]{6}")


class Letter(NamedTuple):
    """One letter, and the address it goes to."""

    to: str
    title: str
    body: str


class _Contact(msgspec.Struct, frozen=True):
    """What an access point sealed."""

    email: str
    code: str
    language: TermsLanguage = "ja"


# The subject, and the paragraphs below it.
_TEXTS: dict[TermsLanguage, tuple[str, ...]] = {
    "ja": (
        "公衆Wi-Fiの確認番号: {code}",
        "確認番号は {code} です。",
        "Wi-Fiの画面に、10分以内に入力してください。",
        "お心当たりのない場合は、このメールを削除してください。何もする必要はありません。",
    ),
    "ja-easy": (
        "Wi-Fiの ばんごう: {code}",
        "ばんごうは {code} です。",
        "Wi-Fiの がめんに、10ぷん いないに 入れて ください。",
        "このメールが わからない ひとは、けして ください。なにも しなくて いいです。",
    ),
    "en": (
        "Your Wi-Fi code: {code}",
        "Your code is {code}.",
        "Type it on the Wi-Fi page within 10 minutes.",
        "If you did not ask for it, delete this message. There is nothing else to do.",
    ),
    "zh-Hans": (
        "公共Wi-Fi验证码: {code}",
        "您的验证码是 {code}。",
        "请在10分钟内将其输入到Wi-Fi页面。",
        "如果您没有申请,请删除此邮件,无需进行其他操作。",
    ),
    "zh-Hant": (
        "公共Wi-Fi驗證碼: {code}",
        "您的驗證碼是 {code}。",
        "請在10分鐘內將其輸入到Wi-Fi頁面。",
        "如果您沒有申請,請刪除此郵件,無需進行其他操作。",
    ),
    "ko": (
        "공공 Wi-Fi 인증번호: {code}",
        "인증번호는 {code}입니다.",
        "10분 이내에 Wi-Fi 화면에 입력해 주세요.",
        "요청하지 않으셨다면 이 메일을 삭제해 주세요. 다른 조치는 필요하지 않습니다.",
    ),
}

_decoder = msgspec.json.Decoder(_Contact)


def letter(opened: bytes) -> Letter | None:
    """The letter to who is named in an opened contact; None when nobody can be written to by it."""
    try:
        contact = _decoder.decode(opened)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not _MAILBOX.fullmatch(contact.email) or not _CODE.fullmatch(contact.code):
        return None
    title, *paragraphs = (text.format(code=contact.code) for text in _TEXTS[contact.language])
    return Letter(contact.email, title, "\n\n".join(paragraphs))
