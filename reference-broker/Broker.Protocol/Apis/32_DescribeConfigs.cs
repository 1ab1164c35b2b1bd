namespace Broker.Protocol;

/// <summary>Asks for the settings of topics and brokers, their values and where each comes from. Sources: KIP-133, KIP-226, KIP-569.</summary>
public sealed class DescribeConfigsRequest : IRequest<DescribeConfigsResponse>
{
    public static ApiKey Key => ApiKey.DescribeConfigs;
    public static VersionRange Versions => new(1, 4);
    public static short FlexibleFrom => 4;

    public List<DescribeConfigsResource> Resources = [];
    public bool IncludeSynonyms;

    /// <summary>v3+.</summary>
    public bool IncludeDocumentation;

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Array(ref Resources, version);
        c.Bool(ref IncludeSynonyms);
        if (version >= 3) c.Bool(ref IncludeDocumentation);
        c.EndOfFields();
    }

    public sealed class DescribeConfigsResource : IMessage
    {
        /// <summary>2 topic, 4 broker.</summary>
        public sbyte ResourceType;

        public string ResourceName = "";

        /// <summary>Null or empty: all settings.</summary>
        public List<string>? ConfigurationKeys = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Int8(ref ResourceType);
            c.String(ref ResourceName);
            c.NullableStringArray(ref ConfigurationKeys);
            c.EndOfFields();
        }
    }
}

public sealed class DescribeConfigsResponse : IResponse
{
    public static ApiKey Key => ApiKey.DescribeConfigs;

    public int ThrottleTimeMs;
    public List<DescribeConfigsResult> Results = [];

    public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
    {
        c.Int32(ref ThrottleTimeMs);
        c.Array(ref Results, version);
        c.EndOfFields();
    }

    public sealed class DescribeConfigsResult : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage = "";
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<DescribeConfigsResourceResult> Configs = [];

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.Error(ref ErrorCode);
            c.NullableString(ref ErrorMessage);
            c.Int8(ref ResourceType);
            c.String(ref ResourceName);
            c.Array(ref Configs, version);
            c.EndOfFields();
        }
    }

    public sealed class DescribeConfigsResourceResult : IMessage
    {
        public string Name = "";
        public string? Value = "";
        public bool ReadOnly;

        /// <summary>1 topic, 2 broker, 3 brokers' default, 4 static broker, 5 default.</summary>
        public sbyte ConfigSource = -1;

        public bool IsSensitive;
        public List<DescribeConfigsSynonym> Synonyms = [];

        /// <summary>v3+: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list.</summary>
        public sbyte ConfigType;

        /// <summary>v3+.</summary>
        public string? Documentation = "";

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.NullableString(ref Value);
            c.Bool(ref ReadOnly);
            c.Int8(ref ConfigSource);
            c.Bool(ref IsSensitive);
            c.Array(ref Synonyms, version);
            if (version >= 3)
            {
                c.Int8(ref ConfigType);
                c.NullableString(ref Documentation);
            }
            c.EndOfFields();
        }
    }

    public sealed class DescribeConfigsSynonym : IMessage
    {
        public string Name = "";
        public string? Value = "";
        public sbyte Source;

        public void Visit<TCodec>(ref TCodec c, short version) where TCodec : struct, ICodec
        {
            c.String(ref Name);
            c.NullableString(ref Value);
            c.Int8(ref Source);
            c.EndOfFields();
        }
    }
}
