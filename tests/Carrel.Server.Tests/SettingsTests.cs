using System.Runtime.CompilerServices;
using Carrel.Server.Hosting;
using Carrel.Server.State;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class SettingsTests
{
    [Fact]
    public void The_table_in_the_docs_is_the_table_in_the_code()
    {
        var documented = File.ReadAllLines(Path.Combine(Root(), "docs", "settings.md")).Where(line => line.Contains("`CARREL_", StringComparison.Ordinal) && line[0] == '|');
        var real = SettingTable.All.Select(setting =>
            $"| `{setting.Name}` | `{setting.Variable}` | `{setting.Flag}` | {(setting.Default.Length == 0 ? "" : $"`{setting.Default}`")} | {setting.Meaning} |");

        Assert.Equal(real, documented);
    }

    [Fact]
    public void A_flag_beats_the_environment_which_beats_the_file_which_beats_the_default()
    {
        var environment = new Dictionary<string, string> { ["CARREL_LISTEN"] = "http://127.0.0.1:2", ["CARREL_STOP_GRACE_SECONDS"] = "7" };
        var settings = SettingReader.Load(
            ["--listen", "http://127.0.0.1:3", "--image=other"],
            environment.GetValueOrDefault,
            file => file == "carrel.json" ? """{"listen":"http://127.0.0.1:1","stop_grace_seconds":5,"screenshots_kept":9}""" : null).Value;

        Assert.Equal(3, settings.Listen.Port);
        Assert.Equal(TimeSpan.FromSeconds(7), settings.StopGrace);
        Assert.Equal(9, settings.ScreenshotsKept);
        Assert.Equal("other", settings.Image);
        Assert.Equal(new DatabaseAddress.Sqlite("/var/lib/carrel/carrel.db"), settings.Database);
    }

    [Theory]
    [InlineData("CARREL_ISOLATION", "vm", "isolation")]
    [InlineData("CARREL_LISTEN", "7300", "listen")]
    [InlineData("CARREL_LISTEN", "ftp://127.0.0.1", "listen")]
    [InlineData("CARREL_DATA", "relative", "data")]
    [InlineData("CARREL_MAX_BODY_BYTES", "12", "max_body_bytes")]
    [InlineData("CARREL_READY_TIMEOUT_SECONDS", "soon", "ready_timeout_seconds")]
    [InlineData("CARREL_LOG_LEVEL", "loud", "log_level")]
    [InlineData("CARREL_PUBLIC_URL", "example.org", "public_url")]
    public void A_value_that_makes_no_sense_is_named(string variable, string value, string named)
    {
        var settings = SettingReader.Load([], name => name == variable ? value : null, _ => null);

        Assert.Contains(named, settings.Failure!.Message, StringComparison.Ordinal);
        Assert.Contains(value, settings.Failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--lisen", "x")]
    [InlineData("--listen")]
    [InlineData("listen=x")]
    public void A_flag_that_is_none_or_lacks_its_value_is_refused(params string[] flags) =>
        Assert.Contains(flags[0].Split('=')[0], SettingReader.Load(flags, _ => null, _ => null).Failure!.Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"lisen":"x"}""", "lisen")]
    [InlineData("[]", "object")]
    [InlineData("{", "valid JSON")]
    [InlineData("""{"listen":true}""", "listen")]
    public void A_file_that_is_wrong_is_refused_and_says_where(string text, string named) =>
        Assert.Contains(named, SettingReader.Load([], _ => null, _ => text).Failure!.Message, StringComparison.Ordinal);

    internal static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
