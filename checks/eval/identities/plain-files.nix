# sops-nix is not imported, and nobody asks for it: what the operator names is all there is.
{
  sops = false;
  fleet.operator = { };
  host.services.cim.hub = {
    enable = true;
    leafnodes.tls = {
      certFile = "/run/keys/hub.pem";
      keyFile = "/run/keys/hub.key";
    };
    tls = {
      certFile = "/run/keys/hub.pem";
      keyFile = "/run/keys/hub.key";
    };
  };
}
