using System.Collections;
using System.Reflection;
using System.Reflection.Emit;
using Broker.Core;
using Verify.Checkers;
using Verify.Clients;
using Verify.Promises;
using Verify.Workloads;
using Verify.Zoo;

namespace Verify.Campaign.Hunting;

/// <summary>One rule, wrong in one way, as a generated subclass of its rules type.</summary>
/// <param name="Change">always, never, more, less, another, takes-NAME, swap-N or skip-N.</param>
/// <param name="Load">Loads the wrong answer, given the right one.</param>
public sealed record MechanicalMutant(RuleEntry Rule, string Change, Type Type, Mutant Planted, Action<ILGenerator, LocalBuilder> Load);

/// <summary>
/// Makes, for every rule, the mistakes that need no insight: a check that always or never passes, a number off by one, another candidate, two steps exchanged, a step left out.
/// What survives them is a rule that no run depends on, or a hole in the checks. Source: mutation testing (DeMillo, Lipton, Sayward 1978).
/// </summary>
public static class MechanicalMutants
{
    private static readonly Lazy<IReadOnlyList<MechanicalMutant>> Made = new(static () => [.. RuleBook.All.SelectMany(static rule => new Workshop(rule).Make())]);

    /// <summary>All of them, in the order of the rule book.</summary>
    public static IReadOnlyList<MechanicalMutant> All => Made.Value;

    /// <summary>Generates the subclasses for one rule.</summary>
    private sealed class Workshop(RuleEntry rule)
    {
        private static readonly string[] AnyAnomaly = [.. typeof(AnomalyName).GetFields().Select(static name => (string)name.GetRawConstantValue()!), Tripwire.Anomaly];

        private readonly ParameterInfo[] parameters = rule.Method.GetParameters();

        public IEnumerable<MechanicalMutant> Make() => rule.Kind switch
        {
            RuleKind.Check => [Forced(true), Forced(false)],
            RuleKind.Steps => Reordered(),
            RuleKind.Choice => Rechosen(),
            RuleKind.Bound => OffByOne(),
            _ => throw new InvalidOperationException($"unknown kind of rule {rule.Kind}"),
        };

        private MechanicalMutant Forced(bool answer) => Override(answer ? "always" : "never", (il, _) => il.Emit(answer ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0));

        private IEnumerable<MechanicalMutant> Reordered()
        {
            var element = RuleBook.ElementOf(rule.Method.ReturnType)!;
            // Steps are as many as the faithful rule names; of candidates, which come and go, the first two are exchanged.
            var count = element.IsEnum ? ((IEnumerable)rule.Method.Invoke(Activator.CreateInstance(rule.Type), null)!).Cast<object>().Count() : 2;
            for (var at = 0; at + 1 < count; at++) yield return Twisted($"swap-{at + 1}", Generic(nameof(Twist.Swapped), element), at);
            for (var at = 0; element.IsEnum && at < count; at++) yield return Twisted($"skip-{at + 1}", Generic(nameof(Twist.Without), element), at);
        }

        private IEnumerable<MechanicalMutant> Rechosen()
        {
            var returned = rule.Method.ReturnType;
            if (RuleBook.CandidatesOf(rule.Method) is { } candidates)
            {
                yield return Override("another", (il, right) =>
                {
                    il.Emit(OpCodes.Ldarg, candidates.Position + 1);
                    il.Emit(OpCodes.Ldloc, right);
                    il.Emit(OpCodes.Call, Generic(nameof(Twist.Another), returned));
                });
            }
            else if (returned.IsEnum)
            {
                yield return Twisted("another", Generic(nameof(Twist.AnotherValue), returned));
            }
            foreach (var given in parameters.Where(parameter => parameter.ParameterType == returned))
                yield return Override($"takes-{given.Name}", (il, _) => il.Emit(OpCodes.Ldarg, given.Position + 1));
        }

        private IEnumerable<MechanicalMutant> OffByOne()
        {
            var returned = rule.Method.ReturnType;
            if (TwistOf(nameof(Twist.More), returned) is not null)
            {
                foreach (var (change, name) in Offsets) yield return Twisted(change, TwistOf(name, returned)!);
                yield break;
            }
            foreach (var part in returned.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static part => part.CanWrite))
                foreach (var wrong in PartWrong(part)) yield return wrong;
        }

        private static readonly (string Change, string Name)[] Offsets = [("more", nameof(Twist.More)), ("less", nameof(Twist.Less))];

        /// <summary>An answer of several parts, of which one is wrong.</summary>
        private IEnumerable<MechanicalMutant> PartWrong(PropertyInfo part)
        {
            if (part.PropertyType == typeof(bool))
            {
                foreach (var answer in new[] { true, false })
                    yield return OnPart($"{part.Name}-{(answer ? "always" : "never")}", part, il => il.Emit(answer ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0));
            }
            else if (TwistOf(nameof(Twist.More), part.PropertyType) is not null)
            {
                foreach (var (change, name) in Offsets)
                {
                    yield return OnPart($"{part.Name}-{change}", part, (il, answer) =>
                    {
                        il.Emit(OpCodes.Ldloca, answer);
                        il.Emit(OpCodes.Call, part.GetMethod!);
                        il.Emit(OpCodes.Call, TwistOf(name, part.PropertyType)!);
                    });
                }
            }
        }

        private MechanicalMutant OnPart(string change, PropertyInfo part, Action<ILGenerator> load) => OnPart(change, part, (il, _) => load(il));

        private MechanicalMutant OnPart(string change, PropertyInfo part, Action<ILGenerator, LocalBuilder> load) => Override(change, (il, right) =>
        {
            var wrong = il.DeclareLocal(rule.Method.ReturnType);
            il.Emit(OpCodes.Ldloc, right);
            il.Emit(OpCodes.Stloc, wrong);
            il.Emit(OpCodes.Ldloca, wrong);
            load(il, right);
            il.Emit(OpCodes.Call, part.SetMethod!);
            il.Emit(OpCodes.Ldloc, wrong);
        });

        private MechanicalMutant Twisted(string change, MethodInfo twist, int? argument = null) => Override(change, (il, right) =>
        {
            il.Emit(OpCodes.Ldloc, right);
            if (argument is { } number) il.Emit(OpCodes.Ldc_I4, number);
            il.Emit(OpCodes.Call, twist);
        });

        private MechanicalMutant Override(string change, Action<ILGenerator, LocalBuilder> load)
        {
            var type = RuleOverride.Module.DefineType($"{rule.Name}.{change}", TypeAttributes.Public | TypeAttributes.Sealed, rule.Type);
            RuleOverride.Emit(type, rule.Method, static il => il.Emit(OpCodes.Call, typeof(Tripwire).GetMethod(nameof(Tripwire.Touch))!), load);
            var made = type.CreateType();
            return new MechanicalMutant(rule, change, made, Plant(change, made), load);
        }

        private Mutant Plant(string change, Type wrong)
        {
            var planted = new Mutant($"{rule.Name}:{change}", rule.Source, $"Not so: {rule.Says}", Rarity.Easy, AnyAnomaly, WorkloadOf(rule)) { Counts = false, UnderAnyConditions = true };
            return rule.IsOfClient
                ? planted with { Client = _ => (ClientRules)Activator.CreateInstance(wrong)! }
                : planted with { Broker = rules => (BrokerRules)RuleBook.With(rules, rule.Path, Activator.CreateInstance(wrong)!) };
        }

        private static MethodInfo Generic(string name, Type argument) => typeof(Twist).GetMethod(name)!.MakeGenericMethod(argument);

        private static MethodInfo? TwistOf(string name, Type type) => typeof(Twist).GetMethod(name, [type]) is { } found && found.ReturnType == type ? found : null;
    }

    /// <summary>Where a rule's effect is seen most easily: in topics for those of the quorum and of administration, in records for all others.</summary>
    private static string WorkloadOf(RuleEntry rule) =>
        rule.Type.Namespace!.EndsWith("Quorum", StringComparison.Ordinal) || rule.Type.Name is "ControllerRules" or "PlacementRules" ? WorkloadNames.Metadata
        : rule.Type.Name is "CleanerRules" ? WorkloadNames.Compaction : WorkloadNames.Log;
}
