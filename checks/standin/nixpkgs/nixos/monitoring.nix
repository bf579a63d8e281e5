# Prometheus, its exporter for NATS, and Grafana: what of them hosts set. Their units are not made.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  settings = option (types.nullOr (types.attrsOf types.anything)) null;
in
{
  options.services.prometheus = {
    enable = lib.mkEnableOption "Prometheus";
    enableAgentMode = lib.mkEnableOption "agent mode";
    checkConfig = option (types.either types.bool (types.enum [ "syntax-only" ])) true;
    port = option types.port 9090;
    listenAddress = option types.str "0.0.0.0";
    extraFlags = option (types.listOf types.str) [ ];
    scrapeConfigs = option (types.listOf (types.attrsOf types.anything)) [ ];
    remoteWrite = option (types.listOf (types.attrsOf types.anything)) [ ];
    ruleFiles = option (types.listOf types.path) [ ];
    exporters.nats = {
      enable = lib.mkEnableOption "the exporter for NATS";
      port = option types.port 7777;
      listenAddress = option types.str "0.0.0.0";
      extraFlags = option (types.listOf types.str) [ ];
      url = option types.str "http://127.0.0.1:8222";
    };
  };
  options.services.grafana = {
    enable = lib.mkEnableOption "Grafana";
    provision = {
      enable = lib.mkEnableOption "provisioning";
      datasources = { inherit settings; };
      dashboards = { inherit settings; };
    };
  };
}
