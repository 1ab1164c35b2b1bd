using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Verify.Checkers;
using Verify.History;

namespace Verify.Properties.Checkers;

public sealed class CheckerProperties
{
    private static readonly CheckContract[] Contracts =
    [
        CheckContract.Default,
        CheckContract.Default with { Acks = Acks.Leader, Idempotence = false, Subscription = Subscription.Subscribe },
        CheckContract.Default with { Acks = Acks.None, Idempotence = false, Commit = CommitMode.BeforeProcessing, GroupStart = GroupStart.Latest },
    ];

    private static string ByCheckers(ImmutableArray<Happening> history, CheckContract contract)
    {
        var suite = CheckerSuite.For(contract);
        suite.ObserveAll(Happening.ToLog(history));
        return string.Join(", ", suite.Conclude().SelectMany(static f => f.Anomalies).GroupBy(static a => a.Name).OrderBy(static g => g.Key, StringComparer.Ordinal).Select(static g => $"{g.Key} {g.Sum(static a => a.Count)}"));
    }

    private static string Summary(Finding finding) => $"{finding.Guarantee} {finding.Verdict} {finding.Of} {string.Join(' ', finding.Anomalies.Select(static a => $"{a.Name} {a.Count}"))}";

    private static Property Agree(ImmutableArray<Happening> history)
    {
        foreach (var contract in Contracts)
        {
            var (oracle, checkers) = (new NaiveOracle(history, contract).Anomalies(), ByCheckers(history, contract));
            if (oracle != checkers) return false.Label($"{contract}\n{string.Join('\n', history)}\noracle:   {oracle}\ncheckers: {checkers}");
        }
        return true.ToProperty();
    }

    [Fact]
    public void The_checkers_agree_with_the_naive_oracle_on_noise() =>
        Prop.ForAll(RandomHistories.Noise, Agree).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000).WithEndSize(60));

    [Fact]
    public void The_checkers_agree_with_the_naive_oracle_on_noise_of_groups() =>
        Prop.ForAll(RandomHistories.GroupNoise, Agree).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000).WithEndSize(100));

    [Fact]
    public void Noise_of_groups_shows_every_anomaly_of_groups_that_there_is()
    {
        var seen = Enumerable.Range(0, 1_000).SelectMany(static seed => ByCheckers(RandomHistories.GroupNoiseOf(seed, 80), CheckContract.Default).Split(", ")).Select(static a => a.Split(' ')[0]).Distinct();

        string[] missing = [.. new[] { AnomalyName.GroupLoss, AnomalyName.GroupDoubleConsume, AnomalyName.ZombieCommit, AnomalyName.OffsetRegression, AnomalyName.LostCommit }.Except(seen)];
        Assert.Empty(missing);
    }

    [Fact]
    public void The_checkers_agree_with_the_naive_oracle_on_damaged_histories() =>
        Prop.ForAll(RandomHistories.Damaged, Agree).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void A_faithful_log_shows_no_anomaly() =>
        Prop.ForAll(RandomHistories.Valid, static history =>
        {
            var anomalies = ByCheckers(history, CheckContract.Default);
            return anomalies.Split(", ").All(static a => a.Length == 0 || a.StartsWith(AnomalyName.InternalSendSkip, StringComparison.Ordinal)).Label(anomalies);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Noise_shows_every_anomaly_of_records_that_there_is()
    {
        var seen = Enumerable.Range(0, 500).SelectMany(static seed => ByCheckers(RandomHistories.NoiseOf(seed, 40), CheckContract.Default).Split(", ")).Select(static a => a.Split(' ')[0]).Distinct();

        string[] missing = [.. new[]
        {
            AnomalyName.LostWrite, AnomalyName.Unseen, AnomalyName.PhantomRecord, AnomalyName.G1a, AnomalyName.Duplicate, AnomalyName.InconsistentOffsets, AnomalyName.NonmonotonicSend, AnomalyName.InternalNonmonotonicSend,
            AnomalyName.InternalSendSkip, AnomalyName.RealtimeSendOrder, AnomalyName.KeyOrder, AnomalyName.NonmonotonicPoll, AnomalyName.InternalNonmonotonicPoll, AnomalyName.PollSkip, AnomalyName.InternalPollSkip, AnomalyName.FutureRead,
        }.Except(seen)];
        Assert.Empty(missing);
    }

    [Fact]
    public void A_history_written_as_json_is_judged_the_same() =>
        Prop.ForAll(RandomHistories.Damaged, static history =>
        {
            var log = Happening.ToLog(history);
            using var stream = new MemoryStream();
            HistoryJsonWriter.WriteAll(log, stream);
            stream.Position = 0;
            var (read, held) = (HistoryCheck.Run(stream, CheckContract.Default), HistoryCheck.Run(log, CheckContract.Default));
            return read.Verdict == held.Verdict && read.Findings.Select(Summary).SequenceEqual(held.Findings.Select(Summary));
        }).Check(Config.QuickThrowOnFailure);
}
