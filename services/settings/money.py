"""What things cost, and what may be spent."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator

from services.settings.kinds import PREFIX, Price


class Money(BaseModel):
    """What things cost, and what may be spent."""

    price_megabyte: Price = Field("USD 0.003", description="what the link's operator bills for a million bytes")
    price_sms_part: Price = Field("KES 0.80", description="a part of an SMS, where the carrier does not say")
    price_modem_part: Price = Field("KES 1.00", description="a part of an SMS through the modem")
    price_smpp_part: Price = Field("KES 0.80", description="a part of an SMS through SMPP")
    price_call_minute: Price = Field("KES 3.00", description="a minute of a call, where the carrier does not say")
    price_ussd_session: Price = Field("KES 1.00", description="a USSD session, where the carrier does not say")
    price_whatsapp_message: Price = Field(
        "USD 0", description="a WhatsApp message sent; answers within 24 hours are free"
    )
    kes_per_usd: float = Field(129.0, gt=0, description="shillings for a dollar: the ledger adds up in dollars")
    budget_usd_a_day: float = Field(0, ge=0, description="dollars a day after which what can wait waits; 0: no limit")
    budget_models_percent: int = Field(
        50, ge=0, le=100, description="share of the budget after which models and voices wait for the next day"
    )
    budget_photographs_percent: int = Field(
        80, ge=0, le=100, description="share of the budget after which photographs wait for the next day"
    )

    @model_validator(mode="after")
    def _models_wait_first(self) -> Self:
        if self.budget_models_percent > self.budget_photographs_percent:
            raise ValueError(
                f"{PREFIX}BUDGET_MODELS_PERCENT must not exceed {PREFIX}BUDGET_PHOTOGRAPHS_PERCENT: models wait first"
            )
        return self
