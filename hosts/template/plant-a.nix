# A leaf: its credentials, and the key of the certificate that local clients see, come from secrets/plant-a.yaml. One local
# user; `nk -gen user -pubout` makes the nkey.
{
  networking.hostName = "plant-a";

  services.cim.leaves.plant-a = {
    tls = { };
    accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
  };
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
