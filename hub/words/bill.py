"""Words of the carrier's bills."""

WORDS: dict[str, tuple[str, str]] = {
    "bills_title": ("通信事業者の請求書", "The carriers' bills"),
    "bills_none": ("請求書はまだありません", "There is no bill yet"),
    "bills_none_hint": (
        "通信事業者から届いた月ごとの請求明細（CSVまたは固定長のファイル）を取り込むと、回線ごとに料金表と突き合わせます。先に「回線」と「料金と規則」を登録してください。",
        "A carrier's monthly statement (CSV or fixed-length file) that is brought in is compared with the tariff, line by line. Enter lines, tariffs and rules first.",
    ),
}
