# Modules for options that moved or went away.
lib:
let
  inherit (lib)
    attrByPath
    getAttrFromPath
    mkIf
    mkMerge
    mkOption
    optional
    optionalAttrs
    setAttrByPath
    showFiles
    showOption
    ;
in
rec {
  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
    }:
    { config, options, ... }:
    let
      old = getAttrFromPath from options;
      target = attrByPath to (throw "Renaming error: option `${showOption to}' does not exist.");
      targetType = attrByPath (to ++ [ "type" ]) null options;
    in
    {
      options = setAttrByPath from (
        mkOption (
          {
            inherit visible;
            description = "Alias of {option}`${showOption to}`.";
            apply = _: use (target config);
          }
          // optionalAttrs (targetType != null) { type = targetType; }
        )
      );
      config = mkMerge [
        (optionalAttrs (options ? warnings) {
          warnings =
            optional (warn && old.isDefined)
              "The option `${showOption from}' defined in ${showFiles old.files} has been renamed to `${showOption to}'.";
        })
        (
          if withPriority then
            lib.modules.mkAliasAndWrapDefsWithPriority (setAttrByPath to) old
          else
            lib.mkAliasAndWrapDefinitions (setAttrByPath to) old
        )
      ];
    };

  mkAliasAndWrapDefinitions = wrap: option: mkIf option.isDefined (wrap (mkMerge option.definitions));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    mkIf option.isDefined (wrap (mkMerge (map (lib.mkOverride option.highestPrio) option.definitions)));
  mkAliasDefinitions = mkAliasAndWrapDefinitions lib.id;

  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = lib.id;
    };
  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = lib.id;
    };
  mkRemovedOptionModule =
    path: why:
    { options, ... }:
    let
      option = getAttrFromPath path options;
    in
    {
      options = setAttrByPath path (mkOption {
        visible = false;
        apply =
          _: throw "The option `${showOption path}' can no longer be used since it's been removed. ${why}";
      });
      config.assertions = [
        {
          assertion = !option.isDefined;
          message = "The option definition `${showOption path}' in ${showFiles option.files} no longer has any effect; please remove it.\n${why}\n";
        }
      ];
    };
  mkChangedOptionModule =
    from: to: change:
    { config, options, ... }:
    let
      old = getAttrFromPath from options;
    in
    {
      options = setAttrByPath from (mkOption {
        visible = false;
      });
      config = mkMerge [
        (optionalAttrs (options ? warnings) {
          warnings = optional old.isDefined "The option `${showOption from}' defined in ${showFiles old.files} has been changed to `${showOption to}' that has a different type. Please read `${showOption to}' documentation and update your configuration accordingly.";
        })
        (mkIf old.isDefined (setAttrByPath to (change config)))
      ];
    };
}
