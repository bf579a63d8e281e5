# A second leaf, with a local user and a store that is encrypted.
{
  networking.hostName = "plant-b";

  services.cim.leaves.plant-b = {
    tls = { };
    accounts.CIM.users.app.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
    jetstream = {
      enable = true;
      maxFileStore = "1GiB";
      encryption = { };
    };
  };
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
