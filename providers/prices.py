"""What models cost, from an offline table (genai-prices); no SDK is needed for that."""

from decimal import Decimal

from domain.usage import Usage
from providers.model_names import vendor_of


def price(model: str, usage: Usage) -> Decimal | None:
    """USD for a call, or None where the model's price is not known. The table takes some tenths of a second to load."""
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens
    )
    try:
        return genai_prices.calc_price(tokens, model, provider_id=vendor_of(model)).total_price
    except LookupError:
        return None
