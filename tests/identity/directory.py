"""A directory for the tests: OpenLDAP's slapd on free ports of the loopback, with a temporary database.

People may read only themselves, as in most hospitals; `memberOf` is kept by the server.
"""

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SLAPD = shutil.which("slapd") or next((p for p in ("/usr/sbin/slapd", "/usr/local/sbin/slapd") if Path(p).exists()), "")
BASE = "dc=example,dc=org"
PLACE = f"uid=%(user)s,ou=people,{BASE}"
GROUP = f"cn=Research,ou=groups,{BASE}"
PASSWORD = "a-password-of-the-directory"
SCHEMAS = Path("/etc/ldap/schema")
MODULES = Path("/usr/lib/ldap")

BOSS = f"cn=admin,{BASE}"

CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
pidfile {folder}/pid
modulepath {modules}
moduleload back_mdb
moduleload memberof
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{base}"
rootdn "{boss}"
rootpw {password}
directory {folder}/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by self read by * none
"""


@dataclass
class Directory:
    """Addresses of the server, the certificate to trust, and its process."""

    url: str
    tls_url: str
    authority: Path
    process: subprocess.Popen


def entries() -> str:
    """The directory in LDIF: people by uid."""
    people = ""
    for uid, name, mail in (("anna", "Anna Ott", "anna@example.org"), ("rosa", "Rosa Öhm", "Rosa@example.org")):
        first, last = name.split()
        people += f"""
dn: uid={uid},ou=people,{BASE}
objectClass: inetOrgPerson
uid: {uid}
cn: {name}
givenName: {first}
sn: {last}
mail: {mail}
userPassword: {PASSWORD}
"""
    return f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Hospital
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit

dn: ou=groups,{BASE}
objectClass: organizationalUnit
{people}"""


def add_group(url: str) -> None:
    """Add a group with Rosa in it; the running server then keeps her `memberOf`."""
    import ldap

    server = ldap.initialize(url)
    server.simple_bind_s(BOSS, PASSWORD)
    member = f"uid=rosa,ou=people,{BASE}".encode()
    server.add_s(GROUP, [("objectClass", b"groupOfNames"), ("cn", b"Research"), ("member", member)])
    server.unbind_s()


@contextmanager
def serve(folder: Path) -> Iterator[Directory]:
    """Run slapd until the block ends."""
    (folder / "data").mkdir()
    authority = certificate(folder)
    settings = folder / "slapd.conf"
    settings.write_text(
        CONFIGURATION.format(folder=folder, base=BASE, schemas=SCHEMAS, modules=MODULES, boss=BOSS, password=PASSWORD)
    )
    add = [SLAPD, "-T", "add", "-f", str(settings)]
    subprocess.run(add, input=entries(), text=True, check=True, capture_output=True, timeout=60)
    url, tls_url = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("ldap", "ldaps"))
    # -d 0: in the foreground, so that it ends with the tests.
    process = subprocess.Popen([SLAPD, "-d", "0", "-f", str(settings), "-h", f"{url} {tls_url}"])
    try:
        for address in (url, tls_url):
            await_port(int(address.rpartition(":")[2]), process)
        add_group(url)
        yield Directory(url, tls_url, authority, process)
    finally:
        process.terminate()
        process.wait(timeout=60)


def certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 that is its own authority; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "directory of the tests")])
    at = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "server.key").write_bytes(key.private_bytes(pem, pkcs8, plain))
    (folder / "server.pem").write_bytes(made.public_bytes(pem))
    return folder / "server.pem"


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def await_port(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "slapd ended"
        with closing(socket.socket()) as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("slapd did not answer")
