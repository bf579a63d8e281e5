# The option types of systemd units: the same names, types, defaults and derived values as NixOS's own.
{ lib, pkgs }:
let
  inherit (lib)
    mkIf
    mkMerge
    mkOption
    optionalAttrs
    types
    ;

  unitName = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  # lists are concatenated, anything else must be the same everywhere
  value = lib.mkOptionType {
    name = "systemd option";
    merge =
      loc: defs:
      if lib.any (def: lib.isList def.value) defs then
        lib.concatMap (def: lib.toList def.value) defs
      else
        lib.mergeEqualOption loc defs;
  };

  bool =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  names = mkOption {
    type = types.listOf unitName;
    default = [ ];
  };
  strings = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  section = mkOption {
    type = types.attrsOf value;
    default = { };
  };
  script = mkOption {
    type = types.lines;
    default = "";
  };

  relations = {
    requires = "Requires";
    wants = "Wants";
    upholds = "Upholds";
    after = "After";
    before = "Before";
    bindsTo = "BindsTo";
    partOf = "PartOf";
    conflicts = "Conflicts";
    requisite = "Requisite";
    onFailure = "OnFailure";
    onSuccess = "OnSuccess";
  };

  common =
    {
      name,
      config,
      options,
      ...
    }:
    let
      triggers =
        kind: values:
        let
          items = map (item: if lib.isPath item then "${item}" else item) (lib.flatten values);
        in
        "${pkgs.writeText "X-${kind}-Triggers-${name}" (toString items)}";
      given =
        option: key: optionalAttrs options.${option}.isDefined { ${key} = toString config.${option}; };
    in
    {
      options = lib.mapAttrs (_: _: names) relations // {
        enable = bool true;
        name = mkOption { type = types.str; };
        overrideStrategy = mkOption {
          type = types.enum [
            "asDropinIfExists"
            "asDropin"
          ];
          default = "asDropinIfExists";
        };
        requiredBy = names;
        upheldBy = names;
        wantedBy = names;
        aliases = names;
        description = mkOption {
          type = types.singleLineStr;
          default = "";
        };
        documentation = strings;
        unitConfig = section;
        startLimitBurst = mkOption { type = types.int; };
        startLimitIntervalSec = mkOption { type = types.int; };
        restartTriggers = mkOption {
          type = types.listOf types.unspecified;
          default = [ ];
        };
        reloadTriggers = mkOption {
          type = types.listOf value;
          default = [ ];
        };
      };
      config.unitConfig =
        lib.concatMapAttrs (
          option: key: optionalAttrs (config.${option} != [ ]) { ${key} = toString config.${option}; }
        ) relations
        // optionalAttrs (config.restartTriggers != [ ]) {
          X-Restart-Triggers = triggers "Restart" config.restartTriggers;
        }
        // optionalAttrs (config.reloadTriggers != [ ]) {
          X-Reload-Triggers = triggers "Reload" config.reloadTriggers;
        }
        // optionalAttrs (config.description != "") { Description = config.description; }
        // optionalAttrs (config.documentation != [ ]) { Documentation = toString config.documentation; }
        // given "startLimitIntervalSec" "StartLimitIntervalSec"
        // given "startLimitBurst" "StartLimitBurst";
    };
  named =
    suffix:
    { name, ... }:
    {
      config.name = "${name}.${suffix}";
    };

  # the file that ExecStart= and the like name for `script` and the like
  jobScript =
    name: body:
    let
      file = lib.replaceStrings [ "\\" "@" ] [ "-" "_" ] name;
      package = (pkgs.writeShellScriptBin file "set -e\n${body}\n").overrideAttrs {
        name = "unit-script-${file}";
      };
    in
    "${package}/bin/${file}";
  jobs = {
    preStart = {
      suffix = "pre-start";
      key = "ExecStartPre";
      wrap = lib.singleton;
    };
    script = {
      suffix = "start";
      key = "ExecStart";
      wrap = lib.id;
    };
    postStart = {
      suffix = "post-start";
      key = "ExecStartPost";
      wrap = lib.singleton;
    };
    reload = {
      suffix = "reload";
      key = "ExecReload";
      wrap = lib.id;
    };
    preStop = {
      suffix = "pre-stop";
      key = "ExecStop";
      wrap = lib.id;
    };
    postStop = {
      suffix = "post-stop";
      key = "ExecStopPost";
      wrap = lib.id;
    };
  };

  # NixOS checks these two settings only, and so does this
  allowed = {
    Type = [
      "exec"
      "simple"
      "forking"
      "oneshot"
      "dbus"
      "notify"
      "notify-reload"
      "idle"
    ];
    Restart = [
      "no"
      "on-success"
      "on-failure"
      "on-abnormal"
      "on-abort"
      "always"
    ];
  };
  isServiceConfig =
    settings:
    lib.all (
      key:
      let
        setting = settings.${key};
        bare =
          if lib.isType "override" setting || lib.isType "if" setting then setting.content else setting;
      in
      !(settings ? ${key}) || lib.elem bare allowed.${key}
    ) (lib.attrNames allowed);

  service =
    { name, config, ... }:
    {
      options = lib.mapAttrs (_: _: script) jobs // {
        serviceConfig = mkOption {
          type = types.addCheck (types.attrsOf value) isServiceConfig;
          default = { };
        };
        environment = mkOption {
          type =
            with types;
            attrsOf (
              nullOr (oneOf [
                str
                path
                package
              ])
            );
          default = { };
        };
        path = mkOption {
          type =
            with types;
            listOf (oneOf [
              package
              str
            ]);
          default = [ ];
        };
        scriptArgs = mkOption {
          type = types.str;
          default = "";
        };
        restartIfChanged = bool true;
        reloadIfChanged = bool false;
        stopIfChanged = bool true;
        notSocketActivated = bool false;
        enableStrictShellChecks = bool false;
        startAt = mkOption {
          type = with types; either str (listOf str);
          default = [ ];
          apply = lib.toList;
        };
      };
      config = {
        path = lib.mkAfter [
          pkgs.coreutils
          pkgs.findutils
          pkgs.gnugrep
          pkgs.gnused
          pkgs.systemd
        ];
        environment.PATH =
          mkIf (config.path != [ ])
            "${lib.makeBinPath config.path}:${lib.makeSearchPathOutput "bin" "sbin" config.path}";
        serviceConfig = mkMerge (
          lib.mapAttrsToList (
            option: job:
            mkIf (config.${option} != "") {
              ${job.key} =
                let
                  file = jobScript "${name}-${job.suffix}" config.${option};
                in
                job.wrap (if option == "script" then "${file} ${config.scriptArgs}" else file);
            }
          ) jobs
        );
      };
    };
in
{
  service = [
    common
    service
    (named "service")
  ];
  timer = [
    common
    { options.timerConfig = section; }
    (named "timer")
  ];
  socket = [
    common
    {
      options = {
        listenStreams = strings;
        listenDatagrams = strings;
        socketConfig = section;
      };
    }
    (named "socket")
  ];
  path = [
    common
    { options.pathConfig = section; }
    (named "path")
  ];
  target = [
    common
    (named "target")
  ];
  slice = [
    common
    { options.sliceConfig = section; }
    (named "slice")
  ];
}
