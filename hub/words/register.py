"""Words of the registers: residents, lines, tariffs, rules, applications, decisions."""

WORDS: dict[str, tuple[str, str]] = {
    "residents": ("住民", "Residents"),
    "residents_none": ("住民はまだ登録されていません", "No residents are entered yet"),
    "residents_none_hint": (
        "タブレットを貸与する住民を番号で登録します。一覧表(CSV・Excel)からまとめて取り込むこともできます。",
        "Enter the residents to whom tablets are lent, by number. A table (CSV, Excel) can be taken in as a whole.",
    ),
    "lines": ("回線", "Lines"),
    "lines_none": ("回線はまだ登録されていません", "No lines are entered yet"),
    "lines_none_hint": (
        "通信会社と契約した回線を電話番号で登録し、料金を選び、住民に引き渡します。",
        "Enter the lines that the town has with a carrier by phone number, choose a tariff, hand them over to residents.",
    ),
    "applications": ("免除の申請", "Applications for a waiver"),
    "applications_none": ("申請はまだありません", "There are no applications yet"),
    "applications_none_hint": (
        "住民から出された免除の申請を入力します。決定するのは、入力した人とは別の人です。",
        "Enter what residents apply for. Who decides is another person than who entered it.",
    ),
    "waiver_rules_title": ("料金と免除の規則", "Tariffs and rules of waiver"),
    "waiver_rules_none": ("料金と規則はまだありません", "There are no tariffs and rules yet"),
    "waiver_rules_none_hint": (
        "通信会社の料金と、条例・要綱の免除の規則を、使用月ごとの版として登録します。",
        "Enter the carrier's tariffs and the ordinance's rules of waiver, as versions by month of use.",
    ),
}
