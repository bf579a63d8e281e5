# Properties of definitions (mkIf, mkMerge, mkForce, …) and how many definitions become one value.
lib:
let
  inherit (builtins)
    any
    concatMap
    filter
    foldl'
    isAttrs
    isBool
    mapAttrs
    removeAttrs
    sort
    ;
  inherit (lib) optionalAttrs showOption;
  inherit (lib.options) showDefs;
in
rec {
  isType = type: value: isAttrs value && value._type or null == type;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkAssert =
    assertion: message: mkIf (if assertion then true else throw "\nFailed assertion: ${message}");
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  defaultOverridePriority = 100;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = mkOrder 500;
  defaultOrderPriority = 1000;
  mkAfter = mkOrder 1500;
  mkDefinition = args: args // { _type = "definition"; };
  mkDerivedConfig =
    option: f: mkOverride (option.highestPrio or defaultOverridePriority) (f option.value);

  # a property around a set becomes a property of each of its attributes
  pushDownProperties =
    config:
    if isType "merge" config then
      concatMap pushDownProperties config.contents
    else if isType "if" config then
      map (mapAttrs (_: mkIf config.condition)) (pushDownProperties config.content)
    else if isType "override" config then
      map (mapAttrs (_: mkOverride config.priority)) (pushDownProperties config.content)
    else
      [ config ];

  # the values that are left once conditions are decided
  dischargeProperties =
    value:
    if isType "merge" value then
      concatMap dischargeProperties value.contents
    else if isType "if" value then
      if !isBool value.condition then
        throw "‘mkIf’ called with a non-Boolean condition"
      else if value.condition then
        dischargeProperties value.content
      else
        [ ]
    else
      [ value ];
  dischargeDefinition =
    def:
    map (
      value:
      if isType "definition" value then
        { inherit (value) file value; }
      else
        {
          inherit (def) file;
          inherit value;
        }
    ) (dischargeProperties def.value);

  filterOverrides = defs: (filterOverrides' defs).values;
  filterOverrides' =
    defs:
    let
      priority = def: if isType "override" def.value then def.value.priority else defaultOverridePriority;
      highestPrio = foldl' (best: def: lib.min best (priority def)) 9999 defs;
      strip = def: if isType "override" def.value then def // { value = def.value.content; } else def;
    in
    {
      values = concatMap (def: if priority def == highestPrio then [ (strip def) ] else [ ]) defs;
      inherit highestPrio;
    };

  sortProperties =
    defs:
    let
      strip =
        def:
        if isType "order" def.value then
          def
          // {
            value = def.value.content;
            inherit (def.value) priority;
          }
        else
          def // { priority = defaultOrderPriority; };
      sorted = sort (a: b: a.priority < b.priority) (map strip defs);
    in
    if any (def: isType "order" def.value) defs then
      map (def: removeAttrs def [ "priority" ]) sorted
    else
      defs;

  # All that can be asked about the definitions of one option. `forced` evaluates the value and what is in it, but
  # passes over options that nobody defined: reading one of those is a mistake, having one is not.
  mergeDefinitions =
    loc: type: defs:
    let
      overridden = filterOverrides' (concatMap dischargeDefinition defs);
      defsFinal = sortProperties overridden.values;
      isDefined = defsFinal != [ ];
      wrong = filter (def: !type.check def.value) defsFinal;
      mergedValue =
        if isDefined then
          if wrong == [ ] then
            type.merge loc defsFinal
          else
            throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}"
        else if type.emptyValue ? value then
          type.emptyValue.value
        else
          throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.";
    in
    {
      inherit defsFinal isDefined mergedValue;
      inherit (overridden) highestPrio;
      defsFinal' = {
        values = defsFinal;
        inherit (overridden) highestPrio;
      };
      optionalValue = optionalAttrs isDefined { value = mergedValue; };
      forced = !isDefined || builtins.seq mergedValue (type.force loc defsFinal);
    };
}
