"""Addresses in templates: in full for those who may read them, masked for others."""

from typing import Any

from django import template

from profiles import showing

register = template.Library()


@register.simple_tag(takes_context=True)
def shown_address(context: dict[str, Any], channel: int, value: str) -> str:
    """Write an address as the operator may see it."""
    return showing.address(context["request"], channel, value or "")


@register.simple_tag(takes_context=True)
def shown_text(context: dict[str, Any], value: str) -> str:
    """Write a text in which addresses are hidden from those who may not read them."""
    return showing.text(context["request"], value or "")
