namespace Verify.Reports;

/// <summary>A guarantee in plain words.</summary>
/// <param name="Promised">What is promised: "no loss".</param>
/// <param name="Permitted">What is not: "loss permitted".</param>
/// <param name="Broke">Before "312 of 20,114": "lost".</param>
/// <param name="Clean">Before "of 20,114" when nothing was seen: "nothing lost".</param>
public sealed record GuaranteeWords(string Promised, string Permitted, string Broke, string Clean)
{
    /// <summary>The words of a guarantee of the contract; for an unknown one, words made of its name.</summary>
    public static GuaranteeWords For(string guarantee) => guarantee switch
    {
        "no-lost-writes" => new("no loss", "loss permitted", "lost", "nothing lost"),
        "no-phantom-writes" => new("no phantoms", "phantoms permitted", "phantoms:", "no phantom"),
        "no-aborted-reads" => new("no aborted reads", "aborted reads permitted", "aborted but read:", "nothing aborted read"),
        "no-duplicates" => new("no duplicates", "duplicates permitted", "duplicated", "nothing duplicated"),
        "stable-offsets" => new("stable offsets", "offset reuse permitted", "offset reused for", "no offset reused"),
        "ordering" => new("order kept", "reordering permitted", "out of order:", "nothing out of order"),
        "consistent-polls" => new("consistent polls", "jumps permitted", "jumped or went back:", "no jump"),
        "at-least-once" => new("at least once", "skipping permitted", "skipped", "nothing skipped"),
        "at-most-once" => new("at most once", "repetition permitted", "repeated", "nothing repeated"),
        "exactly-once" => new("exactly once", "wrong effects permitted", "wrong effect of", "no wrong effect"),
        "atomic-transactions" => new("atomic transactions", "torn ones permitted", "torn:", "none torn"),
        "transaction-isolation" => new("isolation", "anomalies permitted", "not isolated:", "all isolated"),
        "fenced-zombies" => new("zombies fenced", "zombies permitted", "zombie effects:", "no zombie effect"),
        "committed-offsets" => new("commits kept", "lost commits permitted", "lost commits:", "no commit lost"),
        "replica-agreement" => new("replicas agree", "divergence permitted", "diverged:", "no divergence"),
        "metadata-agreement" => new("metadata kept", "lost metadata permitted", "undone:", "nothing undone"),
        "recovery" => new("recovery in time", "stalls permitted", "did not recover:", "all recovered"),
        "queue-delivery" => new("queue delivery", "delivery faults permitted", "delivered wrongly:", "none delivered wrongly"),
        "timely-delivery" => new("timely delivery", "untimely delivery permitted", "untimely:", "none untimely"),
        _ => new(guarantee, $"{guarantee} not promised", $"{guarantee} broken:", "none broken"),
    };
}
