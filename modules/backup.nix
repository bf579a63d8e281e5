# Backups of an instance's JetStream: the options, and the unit and timer that they become.
{ lib }:
let
  inherit (lib) mkOption types;
  cimTypes = import ./types.nix { inherit lib; };
  seconds = import ./seconds.nix { inherit lib; };
  # Of the folders; no instance has a user with such a name.
  user = "cim_backup";
in
{
  inherit user;

  options =
    {
      # The instance's unit, for the folder.
      unit,
    }:
    {
      enable = lib.mkEnableOption "backups of what accounts hold in JetStream";
      accounts = mkOption {
        type = types.nullOr (types.listOf types.str);
        default = null;
        example = [ "CIM" ];
        description = ''
          Accounts that are backed up, each in a folder of its own. An account without any stream is an error: a server
          that lost its store looks like that. `null`: those for which streams or buckets are declared.
        '';
      };
      directory = mkOption {
        type = cimTypes.hostFile;
        default = "/var/backup/${unit}";
        defaultText = lib.literalMD "`/var/backup/` and the instance's unit";
        description = "Folder of the backups. They are not encrypted, whatever the server does with its store.";
      };
      onCalendar = mkOption {
        type = types.str;
        default = "*-*-* 02:00";
        example = "hourly";
        description = "When a backup is taken, as `systemd.time(7)` writes it.";
      };
      randomizedDelay = mkOption {
        type = types.str;
        default = "30min";
        example = "0";
        description = "How much later at most, so that not all hosts work at once.";
      };
      keep = mkOption {
        type = types.nullOr types.ints.positive;
        default = 7;
        example = 30;
        description = "How many of the newest good backups stay. `null`: {option}`keepDays` alone decides, or all stay.";
      };
      keepDays = mkOption {
        type = types.nullOr types.ints.unsigned;
        default = null;
        example = 30;
        description = "For how many days a backup stays; it also stays if {option}`keep` says so. `null`: {option}`keep` alone decides.";
      };
      sink = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [
          "/run/current-system/sw/bin/rclone"
          "rcat"
          "remote:backups/{}"
        ];
        description = ''
          Command that gets each file of a backup on its standard input; `{}` in its words is the file's name. It runs in
          the backup's unit, as user `${user}`. Empty: none.
        '';
      };
      sinkTimeout = mkOption {
        type = cimTypes.wholeSeconds;
        default = "10m";
        example = "1h";
        description = ''
          For how long {option}`sink` may stand still: read nothing more of a file, and not end. Then it is killed, and the
          backup's unit fails; the backup itself stays.
        '';
      };
      drill = mkOption {
        type = types.bool;
        default = true;
        description = "Whether each backup is then restored into a throwaway server and compared.";
      };
      onFailure = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "notify@%n.service" ];
        description = "Units that are started when a backup or its drill failed.";
      };
    };

  # What the options of an instance become.
  unit =
    {
      # Our node-zone programs: cim-backup.
      cim-node,
    }:
    instance@{
      name,
      unit,
      role,
      options,
      ...
    }:
    let
      cfg = options.backup;
      beside = import ./beside.nix { inherit lib; } instance;
      accounts = beside.backedUp;
      login = beside.login "backup" accounts;
      program = lib.getExe' cim-node "cim-backup";
      folder = account: beside.quoted "${cfg.directory}/${beside.fileName account}";
      # For cim-health, which may not look into the folder: counts and moments, no contents.
      status =
        account: "--status ${beside.quoted "/var/lib/${unit}-backup/${beside.fileName account}.json"}";
      number = flag: value: lib.optionalString (value != null) " ${flag} ${toString value}";
      create =
        account:
        "${program} create ${folder account} ${status account} ${login.flags account}"
        + number "--keep" cfg.keep
        + number "--keep-days" cfg.keepDays
        + number "--sink-timeout" (if cfg.sink == [ ] then null else seconds cfg.sinkTimeout)
        # All words after it are the command.
        +
          lib.optionalString (cfg.sink != [ ])
            " --sink ${lib.concatMapStringsSep " " beside.quoted cfg.sink}";
      drill =
        account:
        "${program} drill ${folder account} ${status account} --nats-server ${lib.getExe options.package} --temp %C/${unit}-backup";
    in
    {
      service = {
        description = "Backup of NATS ${role} ${name}";
        inherit (cfg) onFailure;
        after = [ "${unit}.service" ];
        # It runs when its timer says.
        restartIfChanged = false;
        serviceConfig = import ./sandbox.nix // {
          Type = "oneshot";
          User = user;
          Group = user;
          LoadCredential = login.credentials;
          # All are taken before the first is tried: one process works in a folder at a time.
          ExecStart = map create accounts ++ lib.optionals cfg.drill (map drill accounts);
          # Something to tidy up.
          SuccessExitStatus = 1;
          ReadWritePaths = [ cfg.directory ];
          # What cim-health reads, as whatever user it runs.
          StateDirectory = "${unit}-backup";
          StateDirectoryMode = "0755";
          # Room for the throwaway server of a drill, which memory has not.
          CacheDirectory = "${unit}-backup";
          CacheDirectoryMode = "0700";
          # Clients come first.
          Nice = 10;
          IOSchedulingClass = "idle";
        };
      };
      timer = {
        description = "When NATS ${role} ${name} is backed up";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnCalendar = cfg.onCalendar;
          RandomizedDelaySec = cfg.randomizedDelay;
          Persistent = true; # a host that was off backs up when it is on
        };
      };
      tmpfiles.${cfg.directory}.d = {
        mode = "0700";
        inherit user;
        group = user;
      };
    };
}
