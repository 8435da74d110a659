"""An authority of certificates for tests: it issues whatever pair a test asks for."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)


class Authority:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None), HOUR)

    def _sign(self, subject, key, extension, ends_in):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - 2 * HOUR)
                .not_valid_after(now + ends_in).add_extension(extension, critical=False)
                .sign(self.key, hashes.SHA256()))

    def issue(self, folder, certificate="cert.pem", key="key.pem", name="localhost", ends_in=HOUR):
        """Writes the pair of a node on this machine; returns the serial number."""
        secret = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
        issued = self._sign(subject, secret, names, ends_in)
        pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption())
        for path, content in ((certificate, issued.public_bytes(serialization.Encoding.PEM)), (key, pem)):
            (folder / path).write_bytes(content)
            (folder / path).chmod(0o600)
        return issued.serial_number

    def write(self, path):
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
