"""Diffie-Hellman primes that many servers share, by name.

Those of RFC 2409, RFC 3526 and RFC 7919 follow from a formula over pi or e, so that anybody can see
that nothing is hidden in them; those of RFC 5114 come without an explanation and have small
subgroups.
"""

from functools import cache

# Bits and the constant of the formula: RFC 2409, section 6; RFC 3526; RFC 7919, appendix A.
_MODP = {
    768: 149686, 1024: 129093, 1536: 741804, 2048: 124476, 3072: 1690314, 4096: 240904,
    6144: 929484, 8192: 4743158,
}  # fmt: skip
_FFDHE = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}
_RFC_5114 = {
    "RFC 5114 group 22 (1024 bits)": (
        "B10B8F96A080E01DDE92DE5EAE5D54EC52C99FBCFB06A3C69A6A9DCA52D23B616073E28675A23D18"
        "9838EF1E2EE652C013ECB4AEA906112324975C3CD49B83BFACCBDD7D90C4BD7098488E9C219A7372"
        "4EFFD6FAE5644738FAA31A4FF55BCCC0A151AF5F0DC8B4BD45BF37DF365C1A65E68CFDA76D4DA708"
        "DF1FB2BC2E4A4371"
    ),
    "RFC 5114 group 23 (2048 bits)": (
        "AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75E6FA141DF95A56DB"
        "AF9A3C407BA1DF15EB3D688A309C180E1DE6B85A1274A0A66D3F8152AD6AC2129037C9EDEFDA4DF8"
        "D91E8FEF55B7394B7AD5B7D0B6C12207C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708"
        "B3BF8A317091883681286130BC8985DB1602E714415D9330278273C7DE31EFDC7310F7121FD5A074"
        "15987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8BE60E69CC928B2B9"
        "C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29E3FB73C16B8E75B97EF363E2FFA31F71"
        "CF9DE5384E71B81C0AC4DFFE0C10E64F"
    ),
    "RFC 5114 group 24 (2048 bits)": (
        "87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00E00DF8F1D61957D4"
        "FAF7DF4561B2AA3016C3D91134096FAA3BF4296D830E9A7C209E0C6497517ABD5A8A9D306BCF67ED"
        "91F9E6725B4758C022E0B1EF4275BF7B6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C"
        "4FDB70C581B23F76B63ACAE1CAA6B7902D52526735488A0EF13C6D9A51BFA4AB3AD8347796524D8E"
        "F6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026C0B857F689962856"
        "DED4010ABD0BE621C3A3960A54E710C375F26375D7014103A4B54330C198AF126116D2276E11715F"
        "693877FAD7EF09CADB094AE91E1A1597"
    ),
}
_SPARE = 64  # bits of precision beyond what is asked for


@cache
def prime_name(prime: int) -> str:
    """The name of a known prime, as "ffdhe2048" or "RFC 3526 (2048 bits)"; empty for others."""
    return _names().get(prime, "")


def is_doubtful(name: str) -> bool:
    """Whether a known prime is one that nobody should use: too small, or of unexplained origin."""
    return name.startswith(("RFC 2409", "RFC 5114")) or name == "RFC 3526 (1536 bits)"


@cache
def _names() -> dict[int, str]:
    named = {_ffdhe(bits): f"ffdhe{bits}" for bits in _FFDHE}
    for bits in _MODP:
        named[_modp(bits)] = f"RFC {2409 if bits < 1536 else 3526} ({bits} bits)"  # noqa: PLR2004
    return named | {int(digits, 16): name for name, digits in _RFC_5114.items()}


def _modp(bits: int) -> int:
    return (1 << bits) - (1 << (bits - 64)) - 1 + (1 << 64) * (_pi(bits - 130) + _MODP[bits])


def _ffdhe(bits: int) -> int:
    return (1 << bits) - (1 << (bits - 64)) - 1 + (1 << 64) * (_e(bits - 130) + _FFDHE[bits])


def _pi(bits: int) -> int:
    """The whole part of pi * 2**bits, by Machin's formula."""
    one = 1 << (bits + _SPARE)
    return (4 * (4 * _arctan(5, one) - _arctan(239, one))) >> _SPARE


def _arctan(inverse: int, one: int) -> int:
    term = total = one // inverse
    n, sign, square = 3, -1, inverse * inverse
    while term:
        term //= square
        total += sign * (term // n)
        n, sign = n + 2, -sign
    return total


def _e(bits: int) -> int:
    """The whole part of e * 2**bits, by its series."""
    term = total = 1 << (bits + _SPARE)
    n = 1
    while term:
        term //= n
        total += term
        n += 1
    return total >> _SPARE
