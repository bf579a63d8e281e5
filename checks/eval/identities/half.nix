# A file in which one value is not encrypted.
{
  fleet.operator = { };
  host.services.cim = {
    hub.enable = true;
    sops.file = ../sealed/secrets/half.yaml;
  };
}
