# A leaf: its seed in /run/secrets, one local user.
{
  networking.hostName = "plant-a";

  services.cim.leaves.plant-a = {
    nkeySeedFile = "/run/secrets/plant-a.nk";
    remotes.hub.tls.caFile = "/etc/ssl/certs/cim-ca.pem";
    accounts.CIM.users.app.nkey = "UA2AFBM7M3PSY4Q3H2PGSTXJ5GJPOYQ6MC5VTQ45BIU4XI6IEGFRFEY5";
  };
}
