"""A health worker's own screenings."""

from phones import WORKER, Chat, decide

from scenes.stage import WHATSAPP, Stage, scene


@scene("worker", "lists")
def lists(stage: Stage) -> None:
    worker = stage.worker()
    worker.choose("lists").answer("1")
    codes = [stage.open_one() for _ in range(3)]
    decide(stage.site, codes[0], "rescreen")
    Chat(stage.site, WHATSAPP, WORKER).write(f"{codes[1]} L", photos=1)
    worker.choose("lists").answer("1")
    worker.choose("lists").answer("2")
