# Switched off: nothing is installed, and no option has a file.
{
  fleet.operator = { };
  host.services.cim = {
    sops.enable = false;
    expiry.startAt = null;
    hub = {
      enable = true;
      tls = {
        certFile = "/run/keys/hub.pem";
        keyFile = "/run/keys/hub.key";
      };
    };
  };
}
