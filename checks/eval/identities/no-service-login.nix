# Operator mode without sops: who makes streams has no credentials.
{
  fleet = {
    operator = { };
    accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
  };
  host.services.cim = {
    sops.enable = false;
    hub = {
      enable = true;
      backup.enable = true;
      services.CIM.backup.credentialsFile = "/run/keys/backup.creds";
      tls = {
        certFile = "/run/keys/hub.pem";
        keyFile = "/run/keys/hub.key";
      };
    };
  };
}
