# The file as cim-admin writes it, with all of its texts in quotes; the other cases' is as sops writes it.
{
  fleet.operator = { };
  host.services.cim = {
    hub.enable = true;
    sops.file = ../sealed/secrets/quoted.yaml;
  };
}
