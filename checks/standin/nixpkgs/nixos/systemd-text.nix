# The text of a unit file, byte for byte as NixOS writes it.
{ lib }:
let
  inherit (lib) concatMapStrings concatStrings optionalString;

  show =
    value:
    if value == true then
      "true"
    else if value == false then
      "false"
    else
      toString value;
  section =
    settings:
    concatStrings (
      lib.mapAttrsToList (
        key: values: concatMapStrings (value: "${key}=${show value}\n") (lib.toList values)
      ) settings
    );
  # NixOS leaves an empty line after a section that it interpolates
  unit = definition: "[Unit]\n${section definition.unitConfig}\n";
  install =
    definition:
    optionalString (
      definition.wantedBy != [ ]
    ) "\n[Install]\nWantedBy=${toString definition.wantedBy}\n";
  plain = name: settings: "[${name}]\n${section settings}\n";
  withSection =
    name: option: _environment: definition:
    unit definition + plain name definition.${option} + install definition;

  environmentLines =
    environment:
    concatStrings (
      lib.mapAttrsToList (
        name: value: optionalString (value != null) "Environment=${builtins.toJSON "${name}=${value}"}\n"
      ) environment
    );
  whenChanged =
    definition:
    if definition.reloadIfChanged then
      "X-ReloadIfChanged=true\n"
    else
      optionalString (!definition.restartIfChanged) "X-RestartIfChanged=false\n";
in
{
  service =
    globalEnvironment: definition:
    unit definition
    + "[Service]\n"
    + environmentLines (globalEnvironment // definition.environment)
    + whenChanged definition
    + optionalString (!definition.stopIfChanged) "X-StopIfChanged=false\n"
    + optionalString definition.notSocketActivated "X-NotSocketActivated=true\n"
    + section definition.serviceConfig
    + install definition;
  socket =
    _environment: definition:
    unit definition
    + plain "Socket" definition.socketConfig
    + lib.concatMapStringsSep "\n" (address: "ListenStream=${address}") definition.listenStreams
    + "\n"
    + lib.concatMapStringsSep "\n" (address: "ListenDatagram=${address}") definition.listenDatagrams
    + "\n"
    + install definition;
  timer = withSection "Timer" "timerConfig";
  path = withSection "Path" "pathConfig";
  slice = withSection "Slice" "sliceConfig";
  target = _environment: unit;
  tmpfiles =
    paths:
    concatStrings (
      lib.concatLists (
        lib.mapAttrsToList (
          path: types:
          lib.mapAttrsToList (
            _: entry:
            "'${entry.type}' '${path}' '${entry.mode}' '${entry.user}' '${entry.group}' '${entry.age}' ${entry.argument}\n"
          ) types
        ) paths
      )
    );
}
