"""Words of copied devices."""

WORDS: dict[str, tuple[str, str]] = {
    "clones": ("同じ証明書の端末が 2 台", "Two devices, one identity"),
    "clones_about": (
        "メモリーカードが複製されると、2 台が同じ名前で名乗ります。見つかった名前には何も送らず、届いた記録は数えずに別に取っておきます。",
        "When a memory card is copied, two devices use one name. Such a name is sent nothing, and what comes from it is "
        "kept apart and not counted.",
    ),
    "clones_next": (
        "余分な 1 台の電源を切り、残す 1 台を登録し直してください。登録し直すと、古い証明書は使えなくなり、保留は解けます。",
        "Switch off the one too many and enrol the other anew: then the old certificate is worth nothing, and the hold ends.",
    ),
    "clones_none": (
        "同じ証明書を使う端末はありません。見つかると、ここに表示されます。",
        "No two devices use one identity. If two do, they are shown here.",
    ),
    "clones_held": ("保留中の端末", "On hold"),
    "clones_since": ("保留の始まり", "On hold since"),
    "clones_kept": ("別に取ってある記録", "Records kept apart"),
    "clones_kept_about": (
        "起動ごとに分けてあります。打刻があれば、どちらの端末のものか確かめてから決めてください。",
        "By each start of a machine. Where there are taps, find out first which device took them.",
    ),
    "clones_kept_none": ("別に取ってある記録はありません。", "No records are kept apart."),
    "clones_boot": ("起動", "Start"),
    "clones_records": ("記録", "Records"),
    "clones_taps": ("うち打刻", "Of these taps"),
    "clones_from": ("最初", "First"),
    "clones_until": ("最後", "Last"),
    "do_clone_take": ("取り込む", "Take in"),
    "do_clone_drop": ("捨てる", "Throw away"),
    "do_clone_release": ("1 台に戻った", "It is one again"),
    "clones_leave": ("やめる", "Leave it"),
    "ask_clone_drop": (
        "この記録を捨てますか。元には戻せません。打刻が含まれていれば、その打刻もなくなります。",
        "Throw these records away? That cannot be undone. Taps among them are gone as well.",
    ),
    "ask_clone_release": (
        "もう 1 台の電源が切れていることを確かめましたか。保留を解くと、この名前の記録はまた数えられます。",
        "Are you sure that the other one is switched off? Without the hold, records of this name count again.",
    ),
    "did_clone": ("同じ証明書の端末を 2 台見つけ、保留にした", "Found two devices with one identity, and held them"),
    "did_clone_take": ("別に取ってあった記録を取り込んだ", "Took in records that were kept apart"),
    "did_clone_drop": ("別に取ってあった記録を捨てた", "Threw away records that were kept apart"),
    "did_clone_release": ("端末が 1 台に戻ったと確認した", "Said that the device is one again"),
}
