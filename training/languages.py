"""Codes of languages, so that a wrong code is refused."""

import argparse
import re

__all__ = ["ALLOWED_LANGUAGES", "add_language_options", "language_argument", "language_code"]

ALLOWED_LANGUAGES = "the ISO 639 code of a language, such as en, ja or pt-br"

_FORM = re.compile(r"([a-z]{2,3})(-[a-z0-9]{2,8})*")

# https://www.loc.gov/standards/iso639-2/php/code_list.php: two letters (ISO 639-1), then the three
# that stand for the same language.
_CODES = """
    aa/aar ab/abk ae/ave af/afr ak/aka am/amh an/arg ar/ara as/asm av/ava ay/aym az/aze ba/bak
    be/bel bg/bul bi/bis bm/bam bn/ben bo/bod/tib br/bre bs/bos ca/cat ce/che ch/cha co/cos
    cr/cre cs/ces/cze cu/chu cv/chv cy/cym/wel da/dan de/deu/ger dv/div dz/dzo ee/ewe
    el/ell/gre en/eng eo/epo es/spa et/est eu/eus/baq fa/fas/per ff/ful fi/fin fj/fij fo/fao
    fr/fra/fre fy/fry ga/gle gd/gla gl/glg gn/grn gu/guj gv/glv ha/hau he/heb hi/hin ho/hmo
    hr/hrv ht/hat hu/hun hy/hye/arm hz/her ia/ina id/ind ie/ile ig/ibo ii/iii ik/ipk io/ido
    is/isl/ice it/ita iu/iku ja/jpn jv/jav ka/kat/geo kg/kon ki/kik kj/kua kk/kaz kl/kal km/khm
    kn/kan ko/kor kr/kau ks/kas ku/kur kv/kom kw/cor ky/kir la/lat lb/ltz lg/lug li/lim ln/lin
    lo/lao lt/lit lu/lub lv/lav mg/mlg mh/mah mi/mri/mao mk/mkd/mac ml/mal mn/mon mr/mar
    ms/msa/may mt/mlt my/mya/bur na/nau nb/nob nd/nde ne/nep ng/ndo nl/nld/dut nn/nno no/nor
    nr/nbl nv/nav ny/nya oc/oci oj/oji om/orm or/ori os/oss pa/pan pi/pli pl/pol ps/pus pt/por
    qu/que rm/roh rn/run ro/ron/rum ru/rus rw/kin sa/san sc/srd sd/snd se/sme sg/sag sh/hbs
    si/sin sk/slk/slo sl/slv sm/smo sn/sna so/som sq/sqi/alb sr/srp ss/ssw st/sot su/sun sv/swe
    sw/swa ta/tam te/tel tg/tgk th/tha ti/tir tk/tuk tl/tgl tn/tsn to/ton tr/tur ts/tso tt/tat
    tw/twi ty/tah ug/uig uk/ukr ur/urd uz/uzb ve/ven vi/vie vo/vol wa/wln wo/wol xh/xho yi/yid
    yo/yor za/zha zh/zho/chi zu/zul
"""
_TWO_LETTERS = {
    three: two
    for two, *others in (entry.split("/") for entry in _CODES.split())
    for three in others
}
_KNOWN = frozenset(_TWO_LETTERS.values())
# Frequent mistakes, which are codes of countries and withdrawn codes, and the code that was meant.
_MISTAKEN = {
    "cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "kr": "ko", "tw": "zh", "ua": "uk",
    "us": "en", "in": "id", "iw": "he", "ji": "yi",
}  # fmt: skip


def language_code(text: str) -> str:
    """Return a code in small letters with hyphens: pt-br for `pt_BR`.

    Any three letters are accepted unless two letters stand for the same language, since there are
    thousands of such codes. Raises ValueError for an unknown language, naming a likely one.
    """
    code = text.strip().lower().replace("_", "-")
    match = _FORM.fullmatch(code)
    main = match[1] if match is not None else ""
    meant = _TWO_LETTERS.get(main) or _MISTAKEN.get(main)
    if meant is None and (main in _KNOWN or len(main) == 3):
        return code
    hint = f"; did you mean {meant}?" if meant else ""
    raise ValueError(f"expected {ALLOWED_LANGUAGES}, got {text!r}{hint}")


def language_argument(text: str) -> str:
    """Return the code of a language in a command's option, for `type=`."""
    try:
        return language_code(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_language_options(group: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add `--source-language` and `--target-language`, with the defaults of `Columns`."""
    from longspan.training.pairs.columns import Columns  # here: it loads pydantic

    for name in ("source_language", "target_language"):
        field = Columns.model_fields[name]
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=_as_written,
            default=field.default,
            metavar="CODE",
            help=f"{field.description} (default: {field.default})",
        )


def _as_written(text: str) -> str:
    """Check a code and return it unchanged, since names of files and columns contain it so."""
    language_argument(text)
    return text
