# Switched off: nothing is installed, and no option has a file.
{
  fleet.operator = { };
  host.services.cim = {
    sops.enable = false;
    hub = {
      enable = true;
      plaintext = true;
    };
  };
}
