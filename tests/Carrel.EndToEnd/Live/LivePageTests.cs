using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Microsoft.Playwright;
using Xunit;

namespace Carrel.EndToEnd.Live;

/// <summary>A person at a browser: Debian's Chromium, our page, noVNC, and a real desktop behind it.</summary>
public sealed class LivePageTests(SharedInstallation shared) : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    [Fact]
    public async Task The_live_page_shows_the_screen_and_takes_keys()
    {
        var computer = await shared.Api.NewComputerAsync();
        var password = computer.Created["vnc_password"]!.GetValue<string>();
        await computer.BashAsync("""
            DISPLAY=:99 setsid xfce4-terminal --disable-server --title=live --color-bg='#123456' --geometry=100x30+100+100 -x sh -c 'cat > /root/keys.txt' > /dev/null 2>&1 &
            for i in $(seq 200); do w=$(DISPLAY=:99 xdotool search --onlyvisible --name '^live$') && DISPLAY=:99 xdotool windowactivate --sync $w && exit 0; sleep 0.05; done; exit 1
            """);
        var page = await _browser!.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = 1280, Height = 800 } });

        await page.GotoAsync($"{computer.Created["connection_url"]!.GetValue<string>()}?token={password}");

        // What noVNC drew, read off its canvas: the terminal's own colour, many times.
        await page.WaitForFunctionAsync("""
            () => {
              const canvas = document.querySelector('#screen canvas');
              if (!canvas || canvas.width < 1280) return false;
              const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              let seen = 0;
              for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - 0x12) < 6 && Math.abs(data[i + 1] - 0x34) < 6 && Math.abs(data[i + 2] - 0x56) < 6) seen++;
              return seen > 100000;
            }
            """, null, new PageWaitForFunctionOptions { Timeout = 30_000 });
        await page.Locator("#screen canvas").ClickAsync();
        await page.Keyboard.TypeAsync("typed in the browser");
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Control+d");

        await Computer.UntilAsync(async () => await computer.BashAsync("cat /root/keys.txt") == "typed in the browser\n", "the keys arrived in the terminal");
    }

    [Fact]
    public async Task The_first_page_asks_for_the_key_and_lists_the_computers()
    {
        var workspace = await shared.Api.NewWorkspaceAsync();
        var name = $"listed-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(3))}";
        await shared.Api.NewComputerAsync(workspace, name);
        var page = await _browser!.NewPageAsync();
        await page.GotoAsync(shared.Installation.Address.ToString());
        Assert.False(await page.GetByText(name).IsVisibleAsync());

        await page.Locator("input").First.FillAsync(shared.Installation.Key);
        await page.Keyboard.PressAsync("Enter");

        await page.GetByText(name).First.WaitForAsync(new LocatorWaitForOptions { Timeout = 20_000 });
    }

    [Fact]
    public async Task Somebody_new_sets_a_password_by_the_link_and_watches_what_is_shared()
    {
        var computer = await shared.Api.NewComputerAsync();
        var email = $"new-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}@example.org";
        var invited = await shared.Api.PostAsync($"/api/workspaces/{computer.Created["workspace_id"]}/invite", new { email, permission = "viewer" });
        var context = await _browser!.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(invited.Text("password_link"));
        await page.Locator("input[name=password]").FillAsync("a good long one");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("agent").First.WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
        Assert.True(await page.GetByText("Stop", new PageGetByTextOptions { Exact = true }).First.IsDisabledAsync());

        await page.GetByText("Log out").ClickAsync();
        await page.Locator("input[name=email]").FillAsync(email);
        await page.Locator("input[name=password]").FillAsync("a good long one");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("agent").First.WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
        await page.GotoAsync(new Uri(shared.Installation.Address, $"/desktops/{computer.InstanceId}").ToString());
        await page.GetByText("Live, view only").First.WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
        Assert.True(await page.Locator("#viewonly").IsDisabledAsync());
        await context.CloseAsync();
        await shared.Api.DeleteAsync(computer.Path);
    }
}
