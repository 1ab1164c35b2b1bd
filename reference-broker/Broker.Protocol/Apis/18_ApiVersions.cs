namespace Broker.Protocol;

/// <summary>The first request on a connection: which versions does the peer speak? Its answer's header stays version 0.</summary>
public sealed class ApiVersionsRequest : IRequest<ApiVersionsResponse>
{
    public static ApiKey Key => ApiKey.ApiVersions;
    public static VersionRange Versions => new(0, 4);
    public static short FlexibleFrom => 3;

    public string ClientSoftwareName = "";
    public string ClientSoftwareVersion = "";

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        if (version >= 3)
        {
            c.String(ref ClientSoftwareName);
            c.String(ref ClientSoftwareVersion);
        }
        c.EndOfFields();
    }
}

/// <summary>To a version that is not spoken the answer is in v0's form, whatever was asked, with <see cref="ErrorCode.UnsupportedVersion"/>.</summary>
public sealed class ApiVersionsResponse : IResponse
{
    public static ApiKey Key => ApiKey.ApiVersions;

    public ErrorCode ErrorCode;

    /// <summary>Ascending by key.</summary>
    public List<ApiVersion> ApiKeys = [];

    public int ThrottleTimeMs;

    /// <summary>A feature whose minimum is 0 may stand here from v4 on only: in v3 it kills Java clients before 4.0.</summary>
    public List<SupportedFeatureKey> SupportedFeatures = [];

    public long FinalizedFeaturesEpoch = -1;
    public List<FinalizedFeatureKey> FinalizedFeatures = [];
    public bool ZkMigrationReady;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Error(ref ErrorCode);
        c.Array(ref ApiKeys, version);
        if (version >= 1) c.Int32(ref ThrottleTimeMs);
        var tags = c.BeginTags();
        if (c.Tag(ref tags, 0, SupportedFeatures.Count > 0))
        {
            c.Array(ref SupportedFeatures, version);
            c.EndTag(ref tags);
        }
        if (c.Tag(ref tags, 1, FinalizedFeaturesEpoch != -1))
        {
            c.Int64(ref FinalizedFeaturesEpoch);
            c.EndTag(ref tags);
        }
        if (c.Tag(ref tags, 2, FinalizedFeatures.Count > 0))
        {
            c.Array(ref FinalizedFeatures, version);
            c.EndTag(ref tags);
        }
        if (c.Tag(ref tags, 3, ZkMigrationReady))
        {
            c.Bool(ref ZkMigrationReady);
            c.EndTag(ref tags);
        }
        c.EndOfFields(ref tags);
    }
}

public sealed class ApiVersion : IMessage
{
    public ApiKey ApiKey;
    public short MinVersion;
    public short MaxVersion;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Key(ref ApiKey);
        c.Int16(ref MinVersion);
        c.Int16(ref MaxVersion);
        c.EndOfFields();
    }
}

public sealed class SupportedFeatureKey : IMessage
{
    public string Name = "";
    public short MinVersion;
    public short MaxVersion;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Int16(ref MinVersion);
        c.Int16(ref MaxVersion);
        c.EndOfFields();
    }
}

public sealed class FinalizedFeatureKey : IMessage
{
    public string Name = "";
    public short MaxVersionLevel;
    public short MinVersionLevel;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.String(ref Name);
        c.Int16(ref MaxVersionLevel);
        c.Int16(ref MinVersionLevel);
        c.EndOfFields();
    }
}
