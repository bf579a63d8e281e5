# `services.cim.monitoring`: this host's Prometheus reads the pages of its instances; where all hosts' series come together, alerts
# and dashboards. All of it is settings of nixpkgs' own modules.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkDefault
    mkIf
    mkOption
    types
    ;
  cfg = config.services.cim.monitoring;
  inherit (config.services.cim) fleet instances;
  on = text: lib.mkEnableOption text;

  # What each server of the fleet is: labels of its series.
  labels =
    label: name:
    label
    // {
      instance = name;
    }
    // lib.optionalAttrs (fleet.regions ? ${name}) { region = fleet.regions.${name}; };
  labelled = label: lib.mapAttrs (name: _: labels label name);
  hubNodes = lib.concatMapAttrs (
    hub: value:
    labelled {
      role = "hub";
      inherit hub;
    } value.nodes
  ) fleet.hubs;
  leafNodes = lib.concatMapAttrs (
    leaf: value:
    labelled {
      role = "leaf";
      inherit leaf;
      # A leaf of several hubs belongs to all of them.
      hub = lib.concatStringsSep "," (
        lib.unique (map (remote: remote.hub) (lib.attrValues value.remotes))
      );
    } (if value.nodes == { } then { ${leaf} = { }; } else value.nodes)
  ) fleet.leaves;
  servers = hubNodes // leafNodes;

  # The server that an instance is: a node of a hub, of a leaf, or the leaf itself.
  serverOf =
    name: instance:
    if instance.role == "leaf" && instance.options.node != null then instance.options.node else name;
  here = lib.mapAttrs' (
    name: instance: lib.nameValuePair (serverOf name instance) instance
  ) instances;

  # Where cim-health answers, on loopback.
  page = instance: instance.options.health.port;
  exporter = config.services.prometheus.exporters.nats;

  pages = {
    job_name = "cim-health";
    scrape_interval = cfg.interval;
    scrape_timeout = cfg.interval;
    static_configs = lib.mapAttrsToList (name: instance: {
      targets = [ "127.0.0.1:${toString (page instance)}" ];
      # Of an instance that the fleet has not, the build speaks.
      labels = servers.${name} or { };
    }) here;
  };

  # One exporter has the series of all instances: what each is stands in its server_id.
  series = {
    job_name = "nats";
    scrape_interval = cfg.interval;
    scrape_timeout = cfg.interval;
    static_configs = [ { targets = [ "127.0.0.1:${toString exporter.port}" ]; } ];
    metric_relabel_configs = lib.concatMap (
      name:
      lib.mapAttrsToList (label: replacement: {
        source_labels = [ "server_id" ];
        regex = name;
        target_label = label;
        inherit replacement;
      }) (servers.${name} or { })
    ) (lib.attrNames here);
  };

  # The fleet as series: whoever reports nothing is missed by name.
  expected = removeAttrs servers cfg.alerts.unreported;
  declared = pkgs.writeText "cim-fleet.json" (
    builtins.toJSON {
      groups = [
        {
          name = "cim-fleet";
          rules = lib.mapAttrsToList (_: label: {
            record = "cim_fleet_server";
            expr = "vector(1)";
            labels = label;
          }) expected;
        }
      ];
    }
  );

  unknown =
    option: names:
    map (name: {
      assertion = false;
      message = ''
        ${option}: the fleet has no server ${name}.
        Its servers are ${lib.concatStringsSep ", " (lib.attrNames servers)}.'';
    }) (lib.filter (name: !(servers ? ${name})) names);
  unseen = lib.filterAttrs (
    _: instance: !instance.options.health.enable || page instance == null
  ) instances;

  # What nixpkgs' modules start here, and the ports of instances that they would not get.
  listening = {
    "services.prometheus.port" = config.services.prometheus.port;
  }
  // lib.optionalAttrs cfg.exporter.enable {
    "services.prometheus.exporters.nats.port" = exporter.port;
  };
  taken = lib.concatLists (
    lib.mapAttrsToList (
      name: instance:
      lib.mapAttrsToList (option: port: {
        assertion = !(lib.elem port (instance.ports ++ [ (page instance) ]));
        message = ''
          ${option}: ${toString port} is a port of ${name}, or of its page.
          Give one of them another.'';
      }) listening
    ) instances
  );
in
{
  options.services.cim.monitoring = {
    enable = on ''
      this host's Prometheus, which reads the pages of its instances over loopback, with what the fleet says of them as labels.
      Nothing of them is reachable from outside; {option}`services.prometheus.remoteWrite` takes their series to where they are looked
      at'';
    interval = mkOption {
      type = types.strMatching "[1-9][0-9]*(ms|s|m)" // {
        description = "time as Prometheus writes it, for example \"15s\"";
      };
      default = "15s";
      description = "How often the pages are read. Prometheus: `scrape_interval`.";
    };
    exporter.enable = on "nixpkgs' prometheus-nats-exporter too, for all instances of the host: nats-server's own figures, for dashboards made for it";
    alerts = {
      enable = on "the alerts, on the host whose Prometheus gets the series of all";
      unreported = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "plant-c" ];
        description = ''
          Servers of the fleet whose series this Prometheus does not get, so that nobody is called for their silence: those on machines
          of others.
        '';
      };
    };
    dashboards = {
      enable = on "the dashboards (fleet, hub, leaf), in this host's Grafana";
      url = mkOption {
        type = types.nullOr types.str;
        default = "http://127.0.0.1:${toString config.services.prometheus.port}";
        defaultText = lib.literalMD "this host's Prometheus";
        description = ''
          Prometheus that Grafana asks; it becomes a data source. `null`: none is made, and who looks chooses one on the dashboard.
        '';
      };
    };
  };

  config = lib.mkMerge [
    (mkIf cfg.enable {
      assertions =
        taken
        ++ lib.optional (instances == { }) {
          assertion = false;
          message = ''
            services.cim.monitoring.enable: this host has no instance whose page could be read.
            Where series are only looked at, set monitoring.alerts.enable and monitoring.dashboards.enable.'';
        }
        ++ lib.mapAttrsToList (name: instance: {
          assertion = false;
          message = ''
            ${
              if instance.role == "hub" then "services.cim.hub" else "services.cim.leaves.${name}"
            }.health: the instance has no page, which services.cim.monitoring reads.
            Set health.enable = true and a health.port, or services.cim.monitoring.enable = false.'';
        }) unseen;
      services.prometheus = {
        enable = true;
        scrapeConfigs = [ pages ] ++ lib.optional cfg.exporter.enable series;
      };
    })
    (mkIf (cfg.enable && cfg.exporter.enable) {
      services.prometheus.exporters.nats = {
        enable = true;
        listenAddress = mkDefault "127.0.0.1";
        # Several servers are several arguments, each with the name that it has in server_id.
        url = lib.concatStringsSep " " (
          lib.mapAttrsToList (
            name: instance: "${name},http://127.0.0.1:${toString instance.options.httpPort}"
          ) here
        );
        # By itself it collects -varz only.
        extraFlags = [
          "-varz"
          "-healthz"
          "-leafz"
          "-routez"
          "-jsz=all"
        ];
      };
    })
    (mkIf cfg.alerts.enable {
      assertions = unknown "services.cim.monitoring.alerts.unreported" cfg.alerts.unreported ++ [
        {
          assertion = !config.services.prometheus.enableAgentMode;
          message = ''
            services.cim.monitoring.alerts.enable: this host's Prometheus is an agent, which sends series on and judges none.
            Set it on the host that gets them, or services.prometheus.enableAgentMode = false.'';
        }
      ];
      services.prometheus = {
        enable = true;
        ruleFiles = [
          ./monitoring/rules.yaml
          declared
        ];
      };
    })
    (mkIf cfg.dashboards.enable {
      services.grafana = {
        enable = true;
        provision = {
          enable = true;
          datasources.settings.datasources = lib.optional (cfg.dashboards.url != null) {
            name = "CIM";
            type = "prometheus";
            uid = "cim";
            inherit (cfg.dashboards) url;
          };
          dashboards.settings.providers = [
            {
              name = "CIM";
              folder = "CIM";
              options.path = ./monitoring/dashboards;
            }
          ];
        };
      };
    })
    (mkIf (cfg.enable || cfg.alerts.enable) {
      assertions = unknown "services.cim.fleet.regions" (lib.attrNames fleet.regions);
    })
  ];
}
