"""Cells for files that people open in a spreadsheet."""

# A cell that begins like this is a formula to a spreadsheet.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def spreadsheet_safe(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula (OWASP)."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
