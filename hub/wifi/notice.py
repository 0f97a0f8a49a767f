"""What the notification of a municipality's free Wi-Fi is filled in from (rule).

電気通信事業法 165条, 施行規則 60条 and 60条の2: form 8 (様式第8) with a diagram of the network (様式第3) and a list of
the services (様式第4).  The forms want more than a hub knows (who signs, lines that were leased): those cells say so.
"""

from collections import Counter
from collections.abc import Sequence

from hub.wifi.checklist import Point

POINTS = (
    "様式第3 アクセスポイント一覧",
    ("番号", "設置場所", "所在地(記入)", "装置の名前", "ソフトウェアの版", "ネットワーク名", "暗号化"),
)
SERVICES = (
    "様式第4 役務一覧",
    ("電気通信役務の種類", "ネットワーク名", "提供する場所", "場所の数", "料金", "利用者の範囲", "開始年月日(記入)"),
)
NOTICE = ("様式第8 届出の記載事項", ("項目", "内容"))
# 施行規則 様式第4: what kind of service it is.
_KIND = "公衆無線LANアクセスサービス"

Rows = list[tuple[str, ...]]


def point_rows(points: Sequence[Point]) -> Rows:
    """The access points, a row each."""
    return [
        (
            str(number),
            point.place,
            "",
            point.name,
            point.version,
            ", ".join(network.name for network in point.state.networks) if point.state else "",
            ", ".join(network.security or "なし" for network in point.state.networks) if point.state else "",
        )
        for number, point in enumerate(points, 1)
    ]


def service_rows(points: Sequence[Point]) -> Rows:
    """The networks that are offered, and in how many places."""
    places: dict[str, Counter[str]] = {}
    for point in points:
        for network in point.state.networks if point.state else ():
            places.setdefault(network.name, Counter())[point.place or point.name] += 1
    return [
        (_KIND, name, "、".join(sorted(found)), str(len(found)), "無料", "不特定の者", "")
        for name, found in sorted(places.items())
    ]


def notice_rows(points: Sequence[Point], url: str) -> Rows:
    """What form 8 asks for, as far as it is known here."""
    places = sorted({point.place for point in points if point.place})
    return [
        ("届出の根拠", "電気通信事業法 第165条第1項(地方公共団体が営利を目的としない電気通信事業を行う場合)"),
        ("届出者の名称・住所・代表者", "(記入)"),
        ("業務区域", "、".join(places)),
        ("電気通信設備の概要", f"アクセスポイント {len(points)} 台、管理サーバー 1 台({url})"),
        ("電気通信役務", f"{_KIND}(別紙 様式第4)"),
        ("ネットワーク構成図", "(別紙 様式第3。図は記入)"),
        ("事業開始の予定年月日", "(記入)"),
        ("他社回線の契約者名・回線種別", "(記入)"),
    ]
