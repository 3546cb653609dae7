"""A health worker opens a screening."""

from scenes.stage import USSD, Stage, scene


@scene("worker", "open")
def opening(stage: Stage) -> None:
    worker = stage.worker()
    worker.choose("open").answer("3", "1", "19", "1961", "12345", "0722000002", "1", "1", "1")
    worker.choose("open").answer("1", "1961", "1", "2", "2")


@scene(on=(USSD,))
def back_home_and_resume(stage: Stage) -> None:
    worker = stage.worker()
    worker.begin().answer("1", "2", "0", "1", "1950")
    worker.begin().answer("7", "1", "1")
    worker.begin().answer("2", "1", "00")
