# Operator mode, and files of an identity: what a JWT, a flow and a renewed certificate do to servers.
{ lib, inputs }:
let
  operator = {
    fleet = {
      operator.jwt = "eyJh.eyJi.c";
      accounts.CIM.jwt = "eyJh.eyJj.d";
      leaves = lib.genAttrs [ "a" "b" ] (_: {
        certificate = lib.mkForce null;
      });
    };
  };
  sealed = identity: {
    fleet = { inherit identity; };
    host = {
      imports = [ inputs.sops-nix.nixosModules.sops ];
      services.openssh.enable = true;
      services.cim.hub.tls = lib.mkForce { };
      services.cim.sops.file = ../sealed/secrets/hub-1.yaml;
    };
  };
in
{
  "in operator mode: a flow of a leaf" = {
    before = operator;
    fleet.leaves.a.exports = [ "more.>" ];
  };
  "in operator mode: a flow from leaf to leaf" = {
    before = operator;
    fleet.leaves.a.imports = [ "metrics.b.>" ];
  };
  "in operator mode: a leaf that joins the fleet" = {
    before = operator;
    fleet.leaves.c.account = "CIM";
  };
  "in operator mode: an account's JWT" = {
    before = operator;
    fleet.accounts.CIM.jwt = lib.mkForce "eyJh.eyJj.e";
  };
  "in operator mode: the operator's JWT" = {
    before = operator;
    fleet.operator.jwt = lib.mkForce "eyJh.eyJi.e";
  };
  "in operator mode: the login of backups" = {
    before = operator // {
      host.services.cim.hub = {
        backup.enable = true;
        backup.accounts = [ "CIM" ];
        services.CIM.backup.credentialsFile = "/run/secrets/backup.creds";
      };
    };
    host.services.cim.hub.services.CIM.backup.credentialsFile = lib.mkForce "/run/secrets/other.creds";
  };
  "in operator mode: the login of backups that nobody takes" = {
    before = operator // {
      host.services.cim.hub.services.CIM.backup.credentialsFile = "/run/secrets/backup.creds";
    };
    host.services.cim.hub.services.CIM.backup.credentialsFile = lib.mkForce "/run/secrets/other.creds";
  };
  "operator mode" = {
    fleet = { inherit (operator.fleet) operator; };
  };
  "an identity with a renewed certificate of the hub" = {
    before = sealed ../sealed/identity;
    fleet.identity = lib.mkForce ../sealed/renewed;
  };
}
