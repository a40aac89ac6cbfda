using Carrel.Deskd.Tests.World;

namespace Carrel.Deskd.Tests.Shell;

public sealed class ExecTests(Desk desk) : IClassFixture<Desk>
{
    [Fact]
    public async Task What_it_prints_comes_back()
    {
        var (status, answer) = await desk.Post("/exec", ("code", "import sys\nfor i in range(3): print('ä', i)\nprint('x', file=sys.stderr)"));

        Assert.Equal(200, status);
        Assert.Equal("""{"output":"ä 0\nä 1\nä 2\n","success":true,"action":"exec","timeout":false}""", answer.ToString());
    }

    [Theory]
    [InlineData("print(1)\nraise ValueError('no good')", "ValueError", "no good")]
    [InlineData("def x(:", "SyntaxError", "invalid syntax")]
    [InlineData("import sys; sys.exit(3)", "SystemExit", "3")]
    [InlineData("import os; os._exit(4)", "SystemExit", "exit code 4")]
    [InlineData("import os; os.kill(os.getpid(), 11)", "SystemExit", "exit code 139")]
    public async Task A_failure_is_a_success_that_says_so(string code, string type, string message)
    {
        var (status, answer) = await desk.Post("/exec", ("code", code));

        Assert.Equal((200, false, "", type), (
            status, answer.GetProperty("success").GetBoolean(), answer.GetProperty("output").GetString(), answer.GetProperty("error_type").GetString()));
        Assert.Contains(message, answer.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clean_exit_is_no_failure()
    {
        var (_, answer) = await desk.Post("/exec", ("code", "print('a'); raise SystemExit(0)"));

        Assert.Equal(("a\n", true), (answer.GetProperty("output").GetString(), answer.GetProperty("success").GetBoolean()));
    }

    [Fact]
    public async Task Its_time_is_limited()
    {
        var (status, answer) = await desk.Post("/exec", ("code", "while True: pass"), ("timeout", 1));

        Assert.Equal((200, true, false, "TimeoutError"), (
            status, answer.GetProperty("timeout").GetBoolean(), answer.GetProperty("success").GetBoolean(), answer.GetProperty("error_type").GetString()));
    }

    [Fact]
    public async Task Long_code_passes()
    {
        var (_, answer) = await desk.Post("/exec", ("code", $"x = '{new string('y', 300_000)}'\nprint(len(x))"));

        Assert.Equal("300000\n", answer.GetProperty("output").GetString());
    }
}
