namespace Verify.Campaign.Results;

/// <summary>
/// Latencies as a histogram with buckets of equal ratio (16 per doubling: the figures are within 4.5 % above the true ones), so that
/// shards add up exactly.
/// </summary>
/// <param name="Simulated">Virtual time: says how the protocol behaves, nothing of a machine's speed.</param>
/// <param name="Max">Exact, in milliseconds.</param>
/// <param name="Buckets">Bucket number to count; bucket b holds (2^((b-1)/16), 2^(b/16)] microseconds, bucket 0 everything up to one microsecond.</param>
public sealed record Latency(bool Simulated, double Max, IReadOnlyDictionary<int, long> Buckets)
{
    private const double PerDoubling = 16;

    public double P50 => Quantile(0.5);

    public double P99 => Quantile(0.99);

    public double P999 => Quantile(0.999);

    public long Count => Buckets.Values.Sum();

    /// <summary>The bucket of a latency, for whoever counts them.</summary>
    public static int BucketOf(TimeSpan latency) =>
        latency.TotalMicroseconds <= 1 ? 0 : (int)Math.Ceiling(Math.Log2(latency.TotalMicroseconds) * PerDoubling);

    public static Latency operator +(Latency left, Latency right) => new(
        left.Simulated || right.Simulated,
        Math.Max(left.Max, right.Max),
        new SortedDictionary<int, long>(left.Buckets.Concat(right.Buckets).GroupBy(bucket => bucket.Key).ToDictionary(same => same.Key, same => same.Sum(bucket => bucket.Value))));

    /// <summary>The upper end of the bucket that holds the quantile, never above the maximum; milliseconds; 0 when nothing was counted.</summary>
    private double Quantile(double q)
    {
        var rank = (long)Math.Ceiling(q * Count);
        var seen = 0L;
        foreach (var (bucket, count) in Buckets.OrderBy(bucket => bucket.Key))
        {
            seen += count;
            if (seen >= rank && count > 0) return Math.Round(Math.Min(Max, Math.Pow(2, bucket / PerDoubling) / 1000), 3);
        }
        return 0;
    }
}
