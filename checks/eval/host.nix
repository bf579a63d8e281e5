# All of that fleet on one host, so that one evaluation shows who is touched by a change.
let
  tls = {
    certFile = "/run/secrets/server.pem";
    keyFile = "/run/secrets/server.key";
    caFile = "/etc/ssl/certs/cim-ca.pem";
  };
  leaf = port: httpPort: {
    inherit port httpPort;
    remotes.hub = { inherit tls; };
    accounts.CIM.users.app.nkey = "UDVYRKCDSNW6MDQSHMYWGLFGB2532YMH4JPQHZJW6GHQQSYDVZ6Q4CWK";
  };
in
{
  imports = [ ../../hosts/base.nix ];

  networking.hostName = "hub-1";

  services.cim = {
    hub = {
      enable = true;
      inherit tls;
    };
    leaves = {
      a = leaf 4223 8223;
      b = leaf 4224 8224;
    };
  };
}
