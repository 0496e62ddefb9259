"""A small SAML identity provider on a free port of the loopback: metadata, and responses whose assertion is signed."""

import base64
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

ENTITY = "https://login.example.org/idp"
PROTOCOL, ASSERTION = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
MAIL, VERIFIED = "urn:oid:0.9.2342.19200300.100.1.3", "http://schemas.auth0.com/email_verified"
NICKNAME = "http://schemas.auth0.com/nickname"


class SamlProvider:
    """Answers requests. What is wrong with an answer is said by the arguments of `answer`."""

    def __init__(self) -> None:
        self.url = ""
        self.key, self.certificate = new_key()

    @property
    def metadata(self) -> bytes:
        lines = self.certificate.split("-----")[2].strip()
        return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">
  <md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>{lines}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{self.url}/sso"/>
  </md:IDPSSODescriptor></md:EntityDescriptor>""".encode()

    def answer(
        self,
        request: str,
        attributes: dict[str, list[str]],
        *,
        name: str = "pairwise-1234",
        age: timedelta = timedelta(),
        audience: str = "",
        issuer: str = ENTITY,
        in_response_to: str | None = None,
        destination: str = "",
        signature: str = "assertion",
        key: str = "",
        method: str = "sha256",
    ) -> str:
        """Return the SAMLResponse to a request (the address to which the browser was sent), in Base64.

        `signature`: "assertion", "response" (of the whole only) or "none". `key`: of somebody else.
        """
        asked = read_request(request)
        acs, entity = asked.get("AssertionConsumerServiceURL"), asked.findtext(f"{{{ASSERTION}}}Issuer")
        answered = asked.get("ID") if in_response_to is None else in_response_to
        reply = f'InResponseTo="{answered}"' if answered else ""
        at = datetime.now(UTC) - age
        stamp, end = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (at, at + timedelta(minutes=5)))
        values = "".join(
            f'<saml:Attribute Name="{attribute}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in given)
            + "</saml:Attribute>"
            for attribute, given in attributes.items()
        )
        document = etree.fromstring(
            f"""<samlp:Response xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="_{uuid4().hex}" Version="2.0"
  IssueInstant="{stamp}" Destination="{destination or acs}" {reply}><saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<saml:Assertion ID="_{uuid4().hex}" Version="2.0" IssueInstant="{stamp}"><saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{name}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData {reply}
  NotOnOrAfter="{end}" Recipient="{destination or acs}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{stamp}" NotOnOrAfter="{end}"><saml:AudienceRestriction>
  <saml:Audience>{audience or entity}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{stamp}" SessionIndex="_1"><saml:AuthnContext><saml:AuthnContextClassRef
  >urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>{values}</saml:AttributeStatement></saml:Assertion></samlp:Response>"""
        )
        if signature == "assertion":
            sign(document.find(f"{{{ASSERTION}}}Assertion"), key or self.key, method)
        elif signature == "response":
            sign(document, key or self.key, method)
        return base64.b64encode(etree.tostring(document)).decode()


def read_request(address: str) -> etree._Element:
    """Return the AuthnRequest in the address to which a browser was sent."""
    (packed,) = parse_qs(urlsplit(address).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


def sign(element: etree._Element, key: str, method: str) -> None:
    """Sign an element as SAML does: enveloped, with exclusive canonical form, after its issuer."""
    methods = {
        "sha256": (xmlsec.constants.TransformRsaSha256, xmlsec.constants.TransformSha256),
        "sha1": (xmlsec.constants.TransformRsaSha1, xmlsec.constants.TransformSha1),
    }
    signed_by, digested_by = methods[method]
    xmlsec.tree.add_ids(element, ["ID"])
    signature = xmlsec.template.create(element, xmlsec.constants.TransformExclC14N, signed_by, ns="ds")
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, digested_by, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key, xmlsec.constants.KeyDataFormatPem)
    context.sign(signature)


def new_key() -> tuple[str, str]:
    """Return a private key and its certificate, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider of the tests")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return private.decode(), made.public_bytes(pem).decode()


@contextmanager
def serve() -> Iterator[SamlProvider]:
    provider = SamlProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metadata" else 404)
            self.send_header("Content-Type", "application/samlmetadata+xml")
            self.end_headers()
            self.wfile.write(provider.metadata)

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
