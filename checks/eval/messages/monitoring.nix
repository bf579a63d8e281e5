# Alerts and regions for servers that are not there, and what would read or judge nothing.
{ lib, ... }:
{
  "servers that the fleet has not" = {
    fleet.regions.hub-2 = "eu-west-1";
    host.services.cim.monitoring.alerts = {
      enable = true;
      unreported = [ "c" ];
    };
  };
  "alerts of an agent" = {
    host.services = {
      cim.monitoring.alerts.enable = true;
      prometheus.enableAgentMode = true;
    };
  };
  "a host without instances" = {
    host.services.cim = {
      hub.enable = lib.mkForce false;
      leaves = lib.genAttrs [ "a" "b" ] (_: {
        enable = false;
      });
      monitoring.enable = true;
    };
  };
}
