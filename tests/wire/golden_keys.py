"""Golden keys: the seed of the hub's signature, a terminal's key, a request and a chain of a town that is nowhere."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The documentation names it, so that anybody can make the golden signatures anew (RFC 8032: they are always the same).
SEED = bytes(range(32))
HUB = Ed25519PrivateKey.from_private_bytes(SEED)

# The key of the terminal to which the golden roster is sealed: the same number, on P-256.
TERMINAL = ec.derive_private_key(int.from_bytes(SEED), ec.SECP256R1())

# Made once with `wire.x509`, of a key that was thrown away.
REQUEST = (
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIHPMHcCAQAwFTETMBEGA1UEAwwKdGVybWluYWwtMTBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABAQFR3lGuthXv3NML1YgXJ8HK+/axQfOGNppTziU5ztBqlHkb/P6\n"
    "JohvRitPohSeEBFD3j2PQuORhutljKIumIugADAKBggqhkjOPQQDAgNIADBFAiEA\n"
    "/sbJ6MgKItAhDCYqkx4zl6iXvYKh4XXc1ow/0E1g2k0CIGUB6wbTtJYAuxjudxL4\n"
    "qVsUm3iu6L5Goqq7owzE1mjV\n"
    "-----END CERTIFICATE REQUEST-----\n"
)
CHAIN = (
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBvTCCAWOgAwIBAgIUG7lGRRl27btgjyK+FVGCPGiCRrwwCgYIKoZIzj0EAwIw\n"
    "MTEvMC0GA1UEAwwmWWFtYW5va3VjaGkgbWFjaGluYWthIGRldmljZXMgMjAyNjEx\n"
    "MjQwHhcNMjYxMTIzMjM1NTAwWhcNMjcwMjIyMDAwMDAwWjAVMRMwEQYDVQQDDAp0\n"
    "ZXJtaW5hbC0xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBAVHeUa62Fe/c0wv\n"
    "ViBcnwcr79rFB84Y2mlPOJTnO0GqUeRv8/omiG9GK0+iFJ4QEUPePY9C45GG62WM\n"
    "oi6Yi6N1MHMwHQYDVR0OBBYEFDAC4YD/5TBAm2jKeFwkSiXC9jquMB8GA1UdIwQY\n"
    "MBaAFOnNSY1lSEB+BGcvqrKl0rq2ZpE6MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/\n"
    "BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMAoGCCqGSM49BAMCA0gAMEUCIQCl\n"
    "JctqY19n+xoftSEV4V7pZd15GgykmrAQvxqG4ID6PwIgNDfzSXEoHVQX9QWPfjiK\n"
    "XVdBxN21063kpPb5o0i9SGE=\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIIB1DCCAXmgAwIBAgIUHwLz1oKYvcQKta3Z4P3YPw1x7CUwCgYIKoZIzj0EAwIw\n"
    "JTEjMCEGA1UEAwwaWWFtYW5va3VjaGkgbWFjaGluYWthIHJvb3QwHhcNMjYxMTIz\n"
    "MjM1NTAwWhcNMjkxMTIzMDAwMDAwWjAxMS8wLQYDVQQDDCZZYW1hbm9rdWNoaSBt\n"
    "YWNoaW5ha2EgZGV2aWNlcyAyMDI2MTEyNDBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
    "A0IABB+t3RrrWUCcceC5TM+jhPbdNGkvzLHNWGia/xcadXKz3IOgF9arKEYX5rHB\n"
    "t++tRw+6hjHwtevPKtZHT63nUDCjezB5MB0GA1UdDgQWBBTpzUmNZUhAfgRnL6qy\n"
    "pdK6tmaROjASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjATBgNV\n"
    "HSUEDDAKBggrBgEFBQcDAjAfBgNVHSMEGDAWgBTSmFAJySEPyVHEFc3CKXFUcuPH\n"
    "wjAKBggqhkjOPQQDAgNJADBGAiEA8ZfBTpAUviYhpcFmI5zhbe9Bslo+3sJIaTc8\n"
    "/3NdpS4CIQC7Ldcx/lcOmAzV6IrQla9oGzR6ANuaDlnIWnCo6BFBXw==\n"
    "-----END CERTIFICATE-----\n"
)
# Sealed once to TERMINAL: a seal is another each time.
SEALED = (
    "BFrNL8XO5Ymg8XnBkf6u0IlG6qWt7aRZDzfHCQC_ymjW5iVIj4skQYH3xj_JahVZ2YekwMeF"
    "vhDQG8edhubvscvdXlbuK_dg0ZazViN7JecFrYZ3i61TavoFv0MO0Trdv4e6zE6yoBL-6FZw"
    "GC2oZpsUk8UOK0ZsCEzUJmfLbSLl8WDFm5vOsf9VM5QNRwzANTj6WErlTbbdz5zwS8Inbah8"
    "Kxbq2ID469qGBKxsp5BbAv59SOCxjAiRw8RZLXyStb4nh_vNsHPSqukqidVjt0_m-2yRrTrb"
    "4ACgvNFuKuCD7JQA9ebCsXHPyXodmAPCA33yuHiTmaoPFRLF0M3splM0b4IlyY5hyhGjEzSi"
    "FoJVqEybbbwsU78kausR7V5lreGjQDCqEdB-TuKXzuh-6tH4za-1hDkqpF0YHGOxgy0NAouL"
    "h8p2afgXftvC6rsLlE259-MV2LPLTA"
)
