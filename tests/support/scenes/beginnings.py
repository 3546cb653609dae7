"""How conversations begin: language, help, a health worker, and words that are none of ours."""

from scenes.stage import SMS, USSD, VOICE, WHATSAPP, Stage, scene


@scene()
def first_contact(stage: Stage) -> None:
    stranger = stage.somebody("+254733000003", "stranger").begin()
    if stage.kind is VOICE:
        # The language was chosen elsewhere, or is chosen aside: one voice cannot offer three.
        stranger.answer("0", "3", "2", "6")
    else:
        stranger.answer("2", "3", "1", "4", "4")


@scene("patient", "language")
def language(stage: Stage) -> None:
    other = str(1 + ("sw", "luo", "en").index(stage.language))
    stage.patient().choose("language").answer(other, "5" if stage.kind is VOICE else "4", "4")


@scene("worker", "language")
def worker_language(stage: Stage) -> None:
    other = str(1 + ("sw", "luo", "en").index(stage.language))
    stage.worker().choose("language").answer(other, "10", "4")


@scene("patient", "help")
def help_menu(stage: Stage) -> None:
    for about in "1234":
        stage.patient().choose("help").answer(about)


@scene("worker", "help")
def worker_help(stage: Stage) -> None:
    for about in "1234":
        stage.worker().choose("help").answer(about)


@scene("patient", "call-menu", on=(USSD, SMS, WHATSAPP))
def call_continued(stage: Stage) -> None:
    """The call broke off."""
    stage.patient(VOICE).begin().answer("2", "1", "2", "50")
    stage.patient().begin().answer("1", "1", "160")


@scene("patient", "call-menu", on=(VOICE,))
def call_menu(stage: Stage) -> None:
    stage.patient().begin().answer("7", "", "5", "4")


@scene(on=(SMS, WHATSAPP))
def not_understood(stage: Stage) -> None:
    stage.patient().write("hello").answer("?", "?", "?", "?").write("JICHO")
