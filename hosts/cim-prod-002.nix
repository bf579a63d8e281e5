# Production in us-west-2: known to the hub by its certificate; compresses hard, the line is slow.
{
  networking.hostName = "cim-prod-002";

  services.cim.leaves.cim-prod-002 = {
    remotes.hub = {
      compression = "s2_better";
      tls = {
        certFile = "/run/secrets/cim-prod-002.pem";
        keyFile = "/run/secrets/cim-prod-002.key";
        caFile = "/etc/ssl/certs/cim-ca.pem";
      };
    };
    accounts.CIM.users.workflow.nkey = "UASSS5T3EFW2MJ4OBQXT5ESUWKFNYLN374MNJ2UKMZYVEAMLIHDE24DT";
    jetstream.maxFileStore = "50GiB";
  };
}
