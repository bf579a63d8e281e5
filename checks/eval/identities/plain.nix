# Secrets that nobody encrypted.
{
  fleet.operator = { };
  host.services.cim = {
    hub.enable = true;
    sops.file = ../sealed/secrets/plain.yaml;
  };
}
