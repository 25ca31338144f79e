"""What HTML in a mail may hold: elements, attributes, style properties, links."""

from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


BLOCK_TAGS: Final = _names(
    """
    address article aside blockquote center dd div dl dt figcaption figure
    footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section ul
    """
)
INLINE_TAGS: Final = _names(
    """
    a abbr b bdi big br cite code del em font i img ins kbd mark q s small span
    strike strong sub sup time tt u wbr
    """
)
TABLE_TAGS: Final = _names(
    """
    caption col colgroup table tbody td tfoot th thead tr
    """
)
TAGS: Final = BLOCK_TAGS | INLINE_TAGS | TABLE_TAGS

# Gone with what is inside them; other tags go and leave their text.
DROPPED_WHOLE: Final = _names(
    """
    applet audio button canvas embed iframe math noembed noframes noscript
    object option plaintext script select style svg template textarea title
    video xmp
    """
)

_BOX: Final = {"align", "valign", "width", "height", "bgcolor"}
ATTRIBUTES: Final = {
    "*": {"style", "class", "id", "dir", "lang", "title", "align", "role"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height", "border", "hspace", "vspace"},
    "table": {*_BOX, "border", "cellpadding", "cellspacing", "summary"},
    "tr": _BOX,
    "td": {*_BOX, "colspan", "rowspan", "nowrap", "abbr"},
    "th": {*_BOX, "colspan", "rowspan", "nowrap", "scope", "abbr"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "li": {"value"},
}

STYLES: Final = _names(
    """
    background background-color border border-bottom border-bottom-color
    border-bottom-style border-bottom-width border-collapse border-color
    border-left border-left-color border-left-style border-left-width
    border-radius border-right border-right-color border-right-style
    border-right-width border-spacing border-style border-top border-top-color
    border-top-style border-top-width border-width box-sizing clear color
    direction display float font font-family font-size font-style font-variant
    font-weight height letter-spacing line-height list-style list-style-type
    margin margin-bottom margin-left margin-right margin-top max-height
    max-width min-height min-width mso-line-height-rule mso-table-lspace
    mso-table-rspace opacity overflow padding padding-bottom padding-left
    padding-right padding-top table-layout text-align text-decoration
    text-indent text-transform vertical-align visibility white-space width
    word-break word-wrap
    """
)
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
