"""The trusted roots of a site, version after version."""

from commonhold import signing, trust

from tests.sdk import bundles


class Roots:
    """A site's trusted roots, version after version."""

    def __init__(self, site):
        self.site = site
        self.keys = [site.root_key]
        self.versions = {1: site.trusted_root()}

    @property
    def newest(self):
        return self.versions[max(self.versions)]

    def listed(self, count=None):
        """The root keys, the one in use first."""
        known = self.keys[: count or len(self.keys)]
        retired = [trust.TrustedKey(key.public, bundles.SINCE, bundles.NOW) for key in known[:-1]]
        return (trust.TrustedKey(known[-1].public, bundles.SINCE), *reversed(retired))

    def add(self, signers=None, **changes):
        facts = {"version": max(self.versions) + 1, "root_keys": self.listed()} | changes
        said = self.site.trust(**facts)
        self.versions[said.version] = trust.build_trusted_root(said, signers or [self.keys[-1]])

    def rotate(self):
        old, new = self.keys[-1], signing.make_key("Ed25519")
        self.keys.append(new)
        self.add([new, old])

    def fetch(self, version):
        return self.versions[version]
