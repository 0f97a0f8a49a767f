"""Words of lent tablets and what they show."""

WORDS: dict[str, tuple[str, str]] = {
    "tablets_title": ("貸出タブレット", "Lent tablets"),
    "tablets_none": ("タブレットはまだありません", "There is no tablet yet"),
    "tablets_none_hint": (
        "「端末」の「端末を登録」で登録コードを作り、タブレットに入れると、ここに並びます。",
        "Make an enrolment code under “Devices”, “Enrol a device”, and put it on a tablet: it then stands here.",
    ),
    "content_title": ("お知らせとアンケート", "Notices and surveys"),
    "content_none": ("お知らせはまだありません", "There is no content yet"),
    "content_none_hint": (
        "広報・お知らせ・アンケートを作り、見た目を確かめてから配信すると、タブレットで読めます。",
        "Write a newsletter, notice or survey, look at it as the tablet shows it, and publish it: tablets then show it.",
    ),
}
