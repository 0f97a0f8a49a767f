"""Words of benefits on a card."""

WORDS: dict[str, tuple[str, str]] = {
    "benefits_title": ("カードで使う給付", "Benefits on a card"),
    "benefits_none": ("給付の種類がまだありません", "There is no kind of benefit yet"),
    "benefits_none_hint": (
        "タクシー券など、住民がカードをタッチして使う給付を登録します。登録すると、住民ごとに付与し、打刻機で使えるようになります。",
        "Enter the benefits that residents use by touching a card, taxi vouchers for example. Then they can be granted to "
        "residents and used at terminals.",
    ),
}
