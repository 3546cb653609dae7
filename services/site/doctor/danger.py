"""Settings that are allowed and dangerous."""

from __future__ import annotations

from collections.abc import Iterator

from services.runtime import Runtime
from services.site.doctor.finding import Finding, broken, fine, note, warning

_LOCAL = ("127.0.0.1", "::1", "localhost")


def settings(site: Runtime) -> Iterator[Finding]:
    """What an operator should not leave so."""
    found = list(_dangers(site))
    yield from found or [fine("no setting is dangerous")]


def _dangers(site: Runtime) -> Iterator[Finding]:
    it = site.settings
    if it.carrier == "simulator":
        yield note("this is a trial: no real message goes out", "docs/operating.md says how to go live")
        if it.host not in _LOCAL:
            yield broken(
                f"the trial listens on {it.host}: whoever reaches it plays every phone",
                "JICHO_HOST=127.0.0.1 for a trial",
            )
        return
    if it.public_url and not it.public_url.startswith("https://"):
        yield broken(
            "JICHO_PUBLIC_URL is not https: patients' messages and the path token travel in the clear", "use https"
        )
    if it.host not in _LOCAL:
        yield warning(f"the gateway listens on {it.host} itself", "let it listen on 127.0.0.1 behind a TLS proxy")
    if it.at_username == "sandbox" and it.at_api_key.get_secret_value():
        yield broken("JICHO_AT_USERNAME is the sandbox: no message reaches anybody", "use the application's own name")
    if it.whatsapp_phone_number_id and not it.whatsapp_verify_token.get_secret_value():
        yield warning("JICHO_WHATSAPP_VERIFY_TOKEN is empty: Meta cannot verify the hook", "set it, here and at Meta")
    if it.log_level == "DEBUG":
        yield warning("JICHO_LOG_LEVEL=DEBUG writes far more than is needed", "JICHO_LOG_LEVEL=INFO")
    if not it.budget_usd_a_day:
        yield note("there is no daily budget", "JICHO_BUDGET_USD_A_DAY bounds what a mistake can cost")
    if not it.call_spending_a_day:
        yield note("calls back are bounded by number only", "JICHO_CALL_SPENDING_A_DAY bounds their cost")


def drafts(site: Runtime) -> Iterator[Finding]:
    """Sentences that patients hear and no native speaker has read."""
    from flows.translation.review import report

    for language, counts in report().items():
        number = counts.get("draft", 0)
        if number and site.settings.carrier == "live":
            mend = "native speakers sign them off: docs/translators.md"
            yield warning(f"{number} sentences in {language} are drafts that nobody has signed off", mend)
        elif number:
            yield note(f"{number} sentences in {language} are drafts", "before patients: docs/translators.md")
